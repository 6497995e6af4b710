use super::super::{Constraint, Grammars};
use super::parse::parse;
use super::to_lark;
use crate::engine::Weights;
use crate::engine::scripted::Scripted;
use crate::vocabulary::Token;

const JSON: &str = r#"
# what JSON is
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws

object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws
string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4})
  )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [0-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
"#;

const SUMS: &str = "root ::= (expr \"=\" ws term \"\\n\")+\nexpr ::= term ([-+*/] ws term)*\n\
term ::= ident | num | \"(\" ws expr \")\" ws\nident ::= [a-z] [a-z0-9_]* ws\nnum ::= [0-9]+ ws\nws ::= [ \\t\\n]*\n";

const CODE: &str = r#"
root        ::= (declaration)*
declaration ::= dataType identifier "(" parameter? ")" "{" statement* "}"
dataType    ::= "int" ws | "float" ws | "char" ws
identifier  ::= [a-zA-Z_] [a-zA-Z_0-9]*
parameter   ::= dataType identifier
statement   ::= dataType identifier ws "=" ws expression ";" | identifier ws "=" ws expression ";" |
  "return" ws expression ";" | "while" "(" condition ")" "{" statement* "}"
condition   ::= expression relation expression
relation    ::= ("<=" | "<" | "==" | "!=" | ">=" | ">")
expression  ::= term (("+" | "-") term)*
term        ::= factor(("*" | "/") factor)*
factor      ::= identifier | number | unary | identifier "(" expression? ")" | "(" expression ")"
unary       ::= "-" factor
number      ::= [0-9]+
ws          ::= ([ \t\n]+)
"#;

#[track_caller]
fn check(grammar: &str, texts: &[(&str, bool)]) {
    let constraint = Constraint::Gbnf(grammar.into());
    let grammars = Grammars::new(Scripted::answering("").vocabulary()).unwrap();
    for (text, expected) in texts {
        let mut masks = grammars.compile(&constraint).unwrap_or_else(|error| panic!("{error}"));
        let follows = text.bytes().all(|byte| {
            let token = Token(u32::from(byte));
            let allowed = masks.mask().unwrap().allows(token);
            if allowed {
                masks.accept(token).unwrap();
            }
            allowed
        });
        assert_eq!(follows && masks.may_end().unwrap(), *expected, "{text:?}\n{}", to_lark(grammar).unwrap());
        assert_eq!(constraint.parse(text).is_ok(), *expected, "{text:?}");
    }
}

#[test]
fn json() {
    check(
        JSON,
        &[
            ("{}", true),
            ("{ }\n  ", true),
            (r#"{"a": [1, -2.5e+3 , "x\u00e9\n", {"b":null} ], "c": true}"#, true),
            ("[]", false),
            (r#"{"a"}"#, false),
            (r#"{"a":01}"#, false),
            ("{\"a\":\"\n\"}", false),
        ],
    );
}

#[test]
fn what_a_lexeme_could_take_from_another_is_split() {
    check(
        SUMS,
        &[
            ("1+1=2\n", true),
            ("(a + 12)*b_2 =\n c \n", true),
            ("1+1=2", false),
            ("1=1\n2=2\n", true),
            ("=1\n", false),
        ],
    );
    check(
        CODE,
        &[
            ("int main(){return 1+x;}", true),
            ("int f(int a){while(a<=10){a = a*2;}intx = 3;return f(-a);}", true),
            ("int f(){int x = 1;float y = x;}int g(){}", true),
            ("int (){}", false),
        ],
    );
    check(
        "root ::= [a-z]+ x\nx ::= \"end\" x | \"!\"",
        &[("aend!", true), ("endend!", true), ("a!", true), ("!", false)],
    );
    check(
        "root ::= (\"a\" n | \"abc\")\nn ::= \"b\" n \"d\" | \"c\"",
        &[("abc", true), ("abcd", true), ("ac", true), ("ab", false)],
    );
}

#[test]
fn characters_and_repetitions() {
    check(
        r#"root ::= [ぁ-ゟ]{2,3} "\u00e9" [^\n] ."#,
        &[("ぁあéx\n", true), ("ぁéxx", false), ("あいうé\nx", false)],
    );
    check(r#"root ::= "\x41\U0001F600" [\]\[\-^]* "\"\\\t""#, &[("A😀]-[^\"\\\t", true), ("A😀", false)]);
    check(
        "root ::= \"a\"{2} \"b\"{1,} \"c\"{0,1} ([x-])?\n",
        &[("aab", true), ("aabbcx", true), ("aabc-", true), ("ab", false)],
    );
    check(
        "root ::= a |\n  \"z\" # comment\na ::= (\"x\" # in a group\n \"y\")\n\n",
        &[("xy", true), ("z", true), ("x", false)],
    );
    check("root ::= \"\" | \"a\" root", &[("", true), ("aaa", true), ("b", false)]);
    check("root ::= root \"a\" | \"b\"", &[("b", true), ("baa", true), ("a", false)]);
}

#[test]
fn errors_name_the_line() {
    for (grammar, expected) in [
        ("", "line 1: there is no rule \"root\""),
        ("root ::= a\n", "line 1: there is no rule \"a\""),
        ("root ::= \"a\"\n\nroot ::= \"b\"", "line 3: the rule \"root\" stands twice"),
        ("root ::= \"a\"\nb = \"c\"", "line 2: ::= is expected"),
        ("root ::= \"a", "line 1: the grammar ends in"),
        ("root ::= [", "line 1: the grammar ends in"),
        ("root ::= []", "line 1: no character is in []"),
        ("root ::= (\"a\"\n\n", "line 3: ) is expected"),
        ("root ::= *", "line 1: there is nothing to repeat"),
        ("root ::= \"a\"{3,2}", "line 1: the most is less"),
        ("root ::= \"a\"{99999}", "line 1: a number is expected, 2000 at most"),
        ("root ::= \"\\q\"", "line 1: there is no such escape"),
        ("root ::= \"\\uD800\"", "line 1: 4 digits of a character"),
        ("root ::= \"\\u12\"", "line 1: 4 digits of a character"),
        ("root ::= [z-a]", "line 1: the range is the wrong way round"),
        ("root ::= <think>", "line 1: tokens are not supported"),
        ("root ::= \"a\" \"b\" )", "line 1: a newline is expected"),
    ] {
        let error = parse(grammar).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{grammar:?}: {error}");
    }
}
