//! What holds for any bytes as a chain file, and for any bytes as the state of a run.

use pinfold::chain::Changed;
use pinfold::prompt::PromptParts;
use pinfold::{Chain, Error, PromptFile};

const PROMPT: &str = "---\ninput:\n  schema:\n    text?: string\noutput:\n  schema:\n    kind(enum): [a, b]\n    \
                      list?(array): string\n---\n{{text}}\n";

const CHAIN: &str = "
input: {text?: string}
steps:
  - {id: a, prompt: a.prompt, inputs: {text: {from: input.text, default: x}}}
  - {id: b, human: b.prompt, when: {value: steps.a.output.kind, is: a}}
output: steps.a.output
";

fn open(bytes: &[u8]) -> pinfold::Result<Chain> {
    Chain::parse("fuzzed.chain.yaml", bytes, &mut |name| {
        PromptFile::from_text(name, PROMPT, &PromptParts::default())
    })
}

/// A chain file is refused as one, or its run begins and comes back from its state. A state is refused as one, or
/// comes back too.
pub fn check(bytes: &[u8]) {
    match open(bytes) {
        Ok(chain) => {
            if let Ok(run) = chain.start(Default::default()) {
                assert_eq!(chain.restore(&run.state(), Changed::Refuse).unwrap().state(), run.state());
            }
        }
        Err(error) => assert!(matches!(error, Error::BadChain { .. }), "{error}"),
    }
    let chain = open(CHAIN.as_bytes()).unwrap();
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match chain.restore(text, Changed::Allow) {
        Ok(run) => assert_eq!(chain.restore(&run.state(), Changed::Refuse).unwrap().state(), run.state()),
        Err(error) => assert!(matches!(error, Error::BadChain { .. } | Error::BadVariable { .. }), "{error}"),
    }
}
