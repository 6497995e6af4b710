//! The lexemes of a grammar, and which of them must be split.

use std::collections::{HashMap, HashSet};

use llguidance::derivre::{RegexAst, RegexBuilder};

use super::{Chars, Grammar, Node};

/// Bytes of a regular expression at most; what is longer stays a rule.
const LONGEST: usize = 20_000;

/// Fuel to find out whether two lexemes are in each other's way.
const CHECK: u64 = 50_000;

/// Pairs of lexemes that are looked at each time. Beyond it a lexeme may be too greedy: some texts of the grammar
/// are then refused, but none is let through that is not of it.
const CHECKS: usize = 10_000;

/// A part of a grammar whose leaves are lexemes.
pub(super) enum Part {
    Lexeme(usize),
    Rule(usize),
    Sequence(Vec<Part>),
    Either(Vec<Part>),
    Repeat(Box<Part>, u32, Option<u32>),
}

impl Part {
    /// The rules that it names.
    fn named(&self, found: &mut Vec<usize>) {
        match self {
            Self::Lexeme(_) => {}
            Self::Rule(rule) => found.push(*rule),
            Self::Sequence(parts) | Self::Either(parts) => parts.iter().for_each(|part| part.named(found)),
            Self::Repeat(part, ..) => part.named(found),
        }
    }
}

/// A lexeme.
pub(super) struct Lexeme {
    /// Its regular expression.
    pub regex: String,
    first: Bytes,
    nullable: bool,
    /// Whether it can be split.
    whole: bool,
}

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Bytes([u32; 8]);

impl Bytes {
    fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(word, other)| word & other != 0)
    }

    /// The first bytes of characters.
    fn first_of(characters: &Chars) -> Self {
        let byte =
            |code: u32| char::from_u32(code).map_or(0xED, |c| c.encode_utf8(&mut [0; 4]).as_bytes()[0]);
        let mut bytes = Self::default();
        for &(first, last) in characters {
            for byte in byte(first)..=byte(last) {
                bytes.0[usize::from(byte) / 32] |= 1 << (byte % 32);
            }
        }
        bytes
    }
}

/// A grammar cut into lexemes.
pub(super) struct Cut<'a> {
    grammar: &'a Grammar,
    /// For each rule the length of its regular expression, if it has one.
    lengths: Vec<Option<usize>>,
    /// Regular expressions that cannot stay in one piece.
    split: HashSet<String>,
    /// The lexemes by their regular expressions.
    known: HashMap<String, usize>,
    pub lexemes: Vec<Lexeme>,
    /// The rules that are not regular, or split.
    pub rules: Vec<Option<Part>>,
}

impl<'a> Cut<'a> {
    /// Cuts a grammar so that no lexeme can take what has to follow another.
    pub fn of(grammar: &'a Grammar) -> Self {
        let count = grammar.rules.len();
        let mut cut = Self {
            grammar,
            lengths: vec![None; count],
            split: HashSet::new(),
            known: HashMap::new(),
            lexemes: Vec::new(),
            rules: Vec::new(),
        };
        // A rule is regular once all that it names are known to be; one that names itself never is.
        while let Some(rule) =
            (0..count).find(|&rule| cut.lengths[rule].is_none() && cut.length(&grammar.rules[rule]).is_some())
        {
            cut.lengths[rule] = cut.length(&grammar.rules[rule]);
        }
        loop {
            cut.lexemes.clear();
            cut.known.clear();
            cut.rules = (0..count).map(|_| None).collect();
            let mut wanted = vec![0];
            while let Some(rule) = wanted.pop() {
                if cut.rules[rule].is_none() {
                    let part = cut.part(&grammar.rules[rule]);
                    part.named(&mut wanted);
                    cut.rules[rule] = Some(part);
                }
            }
            let greedy = cut.greedy();
            if greedy.is_empty() {
                return cut;
            }
            cut.split.extend(greedy);
        }
    }

    /// About how long the regular expression of a node is; `None` if it has none, or is too long.
    fn length(&self, node: &Node) -> Option<usize> {
        let sum = |nodes: &[Node]| nodes.iter().try_fold(4, |sum, node| Some(sum + self.length(node)?));
        let length = match node {
            Node::Chars(ranges) => Some(20 * ranges.len() + 2),
            Node::Sequence(nodes) | Node::Either(nodes) => sum(nodes),
            // llguidance unrolls it.
            Node::Repeat(node, least, most) => {
                let times = most.unwrap_or(*least).max(1) as usize;
                Some(self.length(node)?.checked_mul(times)? + 12)
            }
            Node::Rule(rule) => self.lengths[*rule].map(|length| length + 1),
        };
        length.filter(|&length| length <= LONGEST)
    }

    fn part(&mut self, node: &Node) -> Part {
        let regular = self.length(node).is_some();
        if regular && !self.is_split(node) {
            return self.lexeme(node);
        }
        match node {
            Node::Chars(_) => self.lexeme(node),
            // Neighbours that are regular make one lexeme, unless just that has to be split.
            Node::Sequence(nodes) if !regular => {
                let mut parts = Vec::new();
                let regular = |a: &Node, b: &Node| self.length(a).is_some() && self.length(b).is_some();
                let runs: Vec<&[Node]> = nodes.chunk_by(regular).collect();
                for run in runs {
                    let joined = Node::Sequence(run.to_vec());
                    if run.len() > 1 && self.length(&joined).is_some() && !self.is_split(&joined) {
                        parts.push(self.lexeme(&joined));
                    } else {
                        parts.extend(run.iter().map(|node| self.part(node)));
                    }
                }
                Part::Sequence(parts)
            }
            Node::Sequence(nodes) => Part::Sequence(nodes.iter().map(|node| self.part(node)).collect()),
            Node::Either(nodes) => Part::Either(nodes.iter().map(|node| self.part(node)).collect()),
            Node::Repeat(node, least, most) => Part::Repeat(Box::new(self.part(node)), *least, *most),
            Node::Rule(rule) => Part::Rule(*rule),
        }
    }

    fn is_split(&self, node: &Node) -> bool {
        !self.split.is_empty() && self.split.contains(&self.regex(node))
    }

    fn lexeme(&mut self, node: &Node) -> Part {
        let regex = self.regex(node);
        if let Some(&known) = self.known.get(&regex) {
            return Part::Lexeme(known);
        }
        let (first, nullable) = self.first_of_node(node);
        let whole = matches!(node, Node::Chars(_));
        self.known.insert(regex.clone(), self.lexemes.len());
        self.lexemes.push(Lexeme { regex, first, nullable, whole });
        Part::Lexeme(self.lexemes.len() - 1)
    }

    fn regex(&self, node: &Node) -> String {
        let join = |nodes: &[Node], between| {
            nodes.iter().map(|node| self.regex(node)).collect::<Vec<_>>().join(between)
        };
        match node {
            Node::Chars(ranges) => {
                let one = |&(first, last): &(u32, u32)| format!("\\x{{{first:X}}}-\\x{{{last:X}}}");
                format!("[{}]", ranges.iter().map(one).collect::<String>())
            }
            Node::Sequence(nodes) => format!("(?:{})", join(nodes, "")),
            Node::Either(nodes) => format!("(?:{})", join(nodes, "|")),
            Node::Repeat(node, least, most) => {
                let most = most.map(|most| most.to_string()).unwrap_or_default();
                format!("(?:{}){{{least},{most}}}", self.regex(node))
            }
            Node::Rule(rule) => self.regex(&self.grammar.rules[*rule]),
        }
    }

    /// The first bytes of what a regular node matches, and whether it may match nothing.
    fn first_of_node(&self, node: &Node) -> (Bytes, bool) {
        match node {
            Node::Chars(ranges) => (Bytes::first_of(ranges), false),
            Node::Sequence(nodes) => in_a_row(nodes.iter().map(|node| self.first_of_node(node))),
            Node::Either(nodes) => one_of(nodes.iter().map(|node| self.first_of_node(node))),
            Node::Repeat(node, least, most) => {
                let (first, nullable) = self.first_of_node(node);
                (if *most == Some(0) { Bytes::default() } else { first }, nullable || *least == 0)
            }
            Node::Rule(rule) => self.first_of_node(&self.grammar.rules[*rule]),
        }
    }

    fn first_of_part(&self, part: &Part, rules: &[(Bytes, bool)]) -> (Bytes, bool) {
        match part {
            Part::Lexeme(lexeme) => (self.lexemes[*lexeme].first, self.lexemes[*lexeme].nullable),
            Part::Rule(rule) => rules[*rule],
            Part::Sequence(parts) => in_a_row(parts.iter().map(|part| self.first_of_part(part, rules))),
            Part::Either(parts) => one_of(parts.iter().map(|part| self.first_of_part(part, rules))),
            Part::Repeat(part, least, most) => {
                let (first, nullable) = self.first_of_part(part, rules);
                (if *most == Some(0) { Bytes::default() } else { first }, nullable || *least == 0)
            }
        }
    }

    /// For each lexeme the bytes that may follow it.
    fn follow(&self) -> Vec<Bytes> {
        let mut first = vec![(Bytes::default(), false); self.rules.len()];
        let mut behind = vec![Bytes::default(); self.rules.len()];
        let mut follow = vec![Bytes::default(); self.lexemes.len()];
        loop {
            let before = (first.clone(), behind.clone(), follow.clone());
            for (rule, part) in self.rules.iter().enumerate() {
                let Some(part) = part else { continue };
                first[rule] = self.first_of_part(part, &first);
                let then = behind[rule];
                self.spread(part, then, &first, &mut behind, &mut follow);
            }
            if (&first, &behind, &follow) == (&before.0, &before.1, &before.2) {
                return follow;
            }
        }
    }

    /// Notes what may follow each lexeme and each rule within `part`, behind which `then` may come.
    fn spread(
        &self,
        part: &Part,
        then: Bytes,
        first: &[(Bytes, bool)],
        behind: &mut [Bytes],
        follow: &mut [Bytes],
    ) {
        match part {
            Part::Lexeme(lexeme) => follow[*lexeme].add(then),
            Part::Rule(rule) => behind[*rule].add(then),
            Part::Either(parts) => {
                parts.iter().for_each(|part| self.spread(part, then, first, behind, follow));
            }
            Part::Sequence(parts) => {
                let mut then = then;
                for part in parts.iter().rev() {
                    self.spread(part, then, first, behind, follow);
                    let (bytes, nullable) = self.first_of_part(part, first);
                    let rest = if nullable { then } else { Bytes::default() };
                    then = bytes;
                    then.add(rest);
                }
            }
            Part::Repeat(part, ..) => {
                let mut then = then;
                then.add(self.first_of_part(part, first).0);
                self.spread(part, then, first, behind, follow);
            }
        }
    }

    /// The lexemes that can go on where another one, or they themselves, should end.
    fn greedy(&self) -> Vec<String> {
        let follow = self.follow();
        let mut greedy = Vec::new();
        let mut checks = 0;
        for long in self.lexemes.iter().filter(|lexeme| !lexeme.whole) {
            let mut in_the_way = |(short, follow): (&Lexeme, &Bytes)| {
                checks += usize::from(short.first.meets(&long.first));
                short.first.meets(&long.first)
                    && checks <= CHECKS
                    && can_go_on(&short.regex, *follow, &long.regex)
            };
            if self.lexemes.iter().zip(&follow).any(&mut in_the_way) {
                greedy.push(long.regex.clone());
            }
        }
        greedy
    }
}

/// Whether `long` matches a text that begins with one that `short` matches and a byte that may follow that.
fn can_go_on(short: &str, follow: Bytes, long: &str) -> bool {
    if follow == Bytes::default() {
        return false;
    }
    let any = RegexAst::Repeat(Box::new(RegexAst::ByteSet(vec![u32::MAX; 8])), 0, u32::MAX);
    let some = RegexAst::Repeat(Box::new(RegexAst::ByteSet(vec![u32::MAX; 8])), 1, u32::MAX);
    let short = RegexAst::And(vec![RegexAst::Regex(short.to_owned()), some]);
    let goes_on = RegexAst::Concat(vec![short, RegexAst::ByteSet(follow.0.to_vec()), any]);
    let mut builder = RegexBuilder::new();
    let both = builder.mk(&RegexAst::And(vec![RegexAst::Regex(long.to_owned()), goes_on]));
    let regex = both.and_then(|both| builder.to_regex_limited(both, CHECK));
    // Whatever is too large to tell is split.
    regex.map_or(true, |mut regex| !regex.always_empty())
}

fn in_a_row(parts: impl Iterator<Item = (Bytes, bool)>) -> (Bytes, bool) {
    let mut all = (Bytes::default(), true);
    for (first, nullable) in parts {
        if all.1 {
            all.0.add(first);
        }
        all.1 &= nullable;
    }
    all
}

fn one_of(parts: impl Iterator<Item = (Bytes, bool)>) -> (Bytes, bool) {
    parts.fold((Bytes::default(), false), |mut all, (first, nullable)| {
        all.0.add(first);
        (all.0, all.1 || nullable)
    })
}
