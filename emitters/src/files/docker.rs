//! Dockerfiles. Every command is a list of arguments: no shell reads what is written here.

use super::double_quoted;

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// A stage begins with an image, and may have a name.
    From(String, Option<&'static str>),
    /// Variables of the environment.
    Env(Vec<(&'static str, &'static str)>),
    /// The folder that everything after it runs in.
    Workdir(&'static str),
    /// Sources, of the context or of a stage, and where they go.
    Copy(Option<&'static str>, Vec<&'static str>, &'static str),
    /// A command that runs while the image is built.
    Run(Vec<&'static str>),
    /// Who runs what comes after it.
    User(&'static str),
    /// A port that the program listens on.
    Expose(u16),
    /// A command that tells whether the container works.
    Healthcheck(Health, Vec<&'static str>),
    /// The command of the container.
    Cmd(Vec<&'static str>),
    /// An empty line.
    Blank,
}

/// How often a container is asked whether it works, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Between two questions.
    pub interval: u16,
    /// For an answer.
    pub timeout: u16,
    /// Until the first question counts.
    pub start: u16,
}

/// The text of the file.
#[must_use]
pub fn print(instructions: &[Instruction]) -> String {
    instructions.iter().map(|instruction| format!("{}\n", line(instruction))).collect()
}

fn line(instruction: &Instruction) -> String {
    match instruction {
        Instruction::From(image, None) => format!("FROM {image}"),
        Instruction::From(image, Some(stage)) => format!("FROM {image} AS {stage}"),
        Instruction::Env(variables) => {
            let pairs =
                variables.iter().map(|(name, value)| format!("{name}={}", double_quoted(value)));
            format!("ENV {}", pairs.collect::<Vec<_>>().join(" \\\n    "))
        }
        Instruction::Workdir(folder) => format!("WORKDIR {folder}"),
        Instruction::Copy(stage, sources, target) => {
            let from = stage.map(|stage| format!("--from={stage} ")).unwrap_or_default();
            format!("COPY {from}{}", arguments(sources.iter().chain([target])))
        }
        Instruction::Run(command) => format!("RUN {}", arguments(command)),
        Instruction::User(user) => format!("USER {user}"),
        Instruction::Expose(port) => format!("EXPOSE {port}"),
        Instruction::Healthcheck(Health { interval, timeout, start }, command) => {
            let options =
                format!("--interval={interval}s --timeout={timeout}s --start-period={start}s");
            format!("HEALTHCHECK {options} CMD {}", arguments(command))
        }
        Instruction::Cmd(command) => format!("CMD {}", arguments(command)),
        Instruction::Blank => String::new(),
    }
}

/// The form of an instruction that no shell reads: `["pip", "install"]`.
fn arguments<'a>(words: impl IntoIterator<Item = &'a &'static str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| double_quoted(word)).collect();
    format!("[{}]", words.join(", "))
}
