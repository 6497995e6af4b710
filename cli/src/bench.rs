//! `pinfold bench`: how fast a checkpoint runs here.
//!
//! The method is that of llama.cpp's llama-bench: reading a prompt and generating are measured apart, each
//! after a warm-up and from an empty context, and the mean is that of the rates of the repetitions.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use pinfold::{Cancel, Error, Finish, GenerateOptions, Sampling, Session, Token, TokenKind, Vocabulary};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::options::{Loaded, ModelArgs};
use crate::output::{self, Align, Exit, Failure, Table};
use crate::progress::Bar;

const HELP: &str = "\
pp N is reading a prompt of N tokens, tg N is generating N tokens; t/s is the mean of the repetitions and their \
standard deviation. Generation is the one that `run` streams, sampling included.

Examples:
  pinfold bench model.gguf
  pinfold bench model.gguf --prompt-tokens 0 --gen-tokens 256 --threads 2
  pinfold bench model.gguf --json | jq .gen_tokens_per_second";

/// Measure how fast a checkpoint runs here
#[derive(Args)]
#[command(after_help = HELP)]
pub struct BenchArgs {
    #[command(flatten)]
    model: ModelArgs,

    /// Tokens of the prompt; 0 leaves this test out
    #[arg(short, long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(..=1 << 20))]
    prompt_tokens: u32,

    /// Tokens to generate; 0 leaves this test out
    #[arg(short = 'n', long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(..=1 << 20))]
    gen_tokens: u32,

    /// How often each test is measured
    #[arg(short, long, value_name = "R", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repetitions: u32,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report {
    model: String,
    architecture: String,
    size_bytes: u64,
    parameters: u64,
    threads: u32,
    kernels: Option<String>,
    repetitions: u32,
    load_seconds: f64,
    prompt_tokens: u32,
    prompt_tokens_per_second: Option<f64>,
    prompt_tokens_per_second_stddev: Option<f64>,
    prompt_samples: Vec<f64>,
    gen_tokens: u32,
    gen_tokens_per_second: Option<f64>,
    gen_tokens_per_second_stddev: Option<f64>,
    gen_samples: Vec<f64>,
}

pub fn bench(args: &BenchArgs) -> Result<Exit, Failure> {
    if args.prompt_tokens == 0 && args.gen_tokens == 0 {
        return Err(Failure::usage("there is nothing to measure")
            .hint("give --prompt-tokens or --gen-tokens a number above 0"));
    }
    let interrupt = Interrupt::install(true)?;
    let cancel = interrupt.work();
    let context = args.prompt_tokens.max(args.gen_tokens + 1);
    let loaded = args.model.load(context, &cancel)?;
    let report = Bench::new(args, &loaded, cancel)?.report(&loaded)?;
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&report.table().to_string())?;
    }
    Ok(Exit::Done)
}

struct Bench<'a> {
    args: &'a BenchArgs,
    session: Session,
    prompt: Vec<Token>,
    sampling: Sampling,
    cancel: Cancel,
}

impl<'a> Bench<'a> {
    fn new(args: &'a BenchArgs, loaded: &Loaded, cancel: Cancel) -> Result<Self, Failure> {
        let vocabulary = loaded.model.vocabulary();
        // A generation must not end before its time.
        let ends = (0..vocabulary.len() as u32).map(Token).filter(|&token| vocabulary.ends_generation(token));
        let logit_bias = ends.map(|token| (token, f32::NEG_INFINITY)).collect();
        Ok(Self {
            args,
            session: loaded.model.session()?,
            prompt: prompt(vocabulary, args.prompt_tokens.max(1) as usize),
            sampling: Sampling { logit_bias, ..Sampling::default() },
            cancel,
        })
    }

    fn report(&self, loaded: &Loaded) -> Result<Report, Failure> {
        let &BenchArgs { prompt_tokens, gen_tokens, repetitions, .. } = self.args;
        let tests = u64::from(prompt_tokens > 0) + u64::from(gen_tokens > 0);
        let mut bar = Bar::new(Some(tests * u64::from(repetitions + 1)), "measuring".into());
        let mut done = 0;
        let mut step = || {
            done += 1;
            bar.set(done);
        };
        let prompt_samples = self.samples(prompt_tokens, || self.read(), &mut step)?;
        let gen_samples = self.samples(gen_tokens, || self.generate(), &mut step)?;

        let facts = loaded.model.facts();
        let devices = pinfold::engine::devices::devices()?;
        let threads = match self.args.model.engine.threads {
            0 => pinfold::engine::devices::automatic_threads(facts.bytes),
            threads => threads,
        };
        Ok(Report {
            model: loaded.name.clone(),
            architecture: facts.architecture.clone(),
            size_bytes: facts.bytes,
            parameters: facts.parameters,
            threads,
            kernels: devices.into_iter().find_map(|device| device.kernels),
            repetitions,
            load_seconds: loaded.seconds,
            prompt_tokens,
            prompt_tokens_per_second: mean(&prompt_samples),
            prompt_tokens_per_second_stddev: deviation(&prompt_samples),
            prompt_samples,
            gen_tokens,
            gen_tokens_per_second: mean(&gen_samples),
            gen_tokens_per_second_stddev: deviation(&gen_samples),
            gen_samples,
        })
    }

    /// The rates of the repetitions in tokens per second, after a warm-up that does not count.
    fn samples(
        &self,
        tokens: u32,
        test: impl Fn() -> Result<f64, Failure>,
        step: &mut impl FnMut(),
    ) -> Result<Vec<f64>, Failure> {
        if tokens == 0 {
            return Ok(Vec::new());
        }
        let mut samples = Vec::new();
        for repetition in 0..=self.args.repetitions {
            let seconds = test()?;
            if repetition > 0 {
                samples.push(f64::from(tokens) / seconds);
            }
            step();
        }
        Ok(samples)
    }

    /// The seconds that reading the prompt takes.
    fn read(&self) -> Result<f64, Failure> {
        self.session.rewind(0)?;
        self.session.append_tokens(&self.prompt)?;
        let started = Instant::now();
        self.session.prefill(&self.cancel)?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// The seconds that generating takes. Each token costs one decode, the first that of the token that it
    /// follows.
    fn generate(&self) -> Result<f64, Failure> {
        self.session.rewind(0)?;
        self.session.append_tokens(&self.prompt[..1])?;
        let options = GenerateOptions {
            sampling: self.sampling.clone(),
            max_tokens: Some(self.args.gen_tokens),
            cancel: self.cancel.clone(),
            ..GenerateOptions::default()
        };
        let started = Instant::now();
        let mut stream = self.session.generate(&options)?;
        stream.try_for_each(|chunk| chunk.map(drop))?;
        let seconds = started.elapsed().as_secs_f64();
        match stream.finish() {
            Some(Finish { generated_tokens, .. }) if *generated_tokens == self.args.gen_tokens => Ok(seconds),
            _ => Err(Error::Cancelled.into()),
        }
    }
}

/// Ordinary tokens in an order without pattern, the same on every run; the first begins a sequence, where
/// the checkpoint wants that.
fn prompt(vocabulary: &Vocabulary, length: usize) -> Vec<Token> {
    let all = (0..vocabulary.len() as u32).map(Token);
    let mut normal: Vec<_> = all.filter(|&token| vocabulary.kind(token) == Some(TokenKind::Normal)).collect();
    if normal.is_empty() {
        normal.push(Token(0));
    }
    // Knuth's linear congruential generator: the numbers need not be good, only spread.
    let mut state = 0x5eed_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        normal[(state >> 33) as usize % normal.len()]
    };
    let mut tokens: Vec<_> = (0..length).map(|_| next()).collect();
    if let (Some(bos), true) = (vocabulary.bos(), vocabulary.adds_bos()) {
        tokens[0] = bos;
    }
    tokens
}

fn mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)
}

/// The standard deviation of a sample; 0 for a single one.
fn deviation(samples: &[f64]) -> Option<f64> {
    let mean = mean(samples)?;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    Some((squares / (samples.len() as f64 - 1.0).max(1.0)).sqrt())
}

impl Report {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("model", Align::Left),
            ("size", Align::Right),
            ("params", Align::Right),
            ("kernels", Align::Left),
            ("threads", Align::Right),
            ("test", Align::Right),
            ("t/s", Align::Right),
        ]);
        let tests = [
            ("pp", self.prompt_tokens, self.prompt_tokens_per_second, self.prompt_tokens_per_second_stddev),
            ("tg", self.gen_tokens, self.gen_tokens_per_second, self.gen_tokens_per_second_stddev),
        ];
        let name = Path::new(&self.model).file_name().unwrap_or_default();
        for (test, tokens, mean, deviation) in tests {
            let (Some(mean), Some(deviation)) = (mean, deviation) else { continue };
            table.row([
                name.to_string_lossy().into_owned(),
                output::size(self.size_bytes),
                output::count(self.parameters),
                self.kernels.clone().unwrap_or_else(|| "-".into()),
                self.threads.to_string(),
                format!("{test} {tokens}"),
                format!("{mean:.2} ± {deviation:.2}"),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        assert_eq!((mean(&[]), deviation(&[])), (None, None));
        assert_eq!((mean(&[2.0]), deviation(&[2.0])), (Some(2.0), Some(0.0)));
        assert_eq!((mean(&[1.0, 2.0, 3.0]), deviation(&[1.0, 2.0, 3.0])), (Some(2.0), Some(1.0)));
    }
}
