use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::env::EnvLayer;
use super::print::{Setting, settings};
use super::read::read;
use super::{Config, ConfigError};

/// The name of the file in the data directory.
const FILE_NAME: &str = "countersign.toml";

/// Where to look.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file to read; none: `countersign.toml` in the data directory, if it is there.
    pub file: Option<PathBuf>,
    /// Where the installation keeps its state.
    pub data_dir: PathBuf,
    /// Environment variables, all of them: others than ours are passed over.
    pub environment: Vec<(String, String)>,
}

/// A configuration that can be used, and how it came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it was read from, if there was one.
    pub file: Option<PathBuf>,
    /// Every value and its origin, in the order of keys; secrets hidden.
    pub settings: Vec<Setting>,
}

impl Source {
    /// The file that [`load`] reads when none is named.
    #[must_use]
    pub fn default_file(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE_NAME)
    }
}

/// Reads all layers and checks what they say together.
pub fn load(source: &Source) -> Result<Loaded, ConfigError> {
    let (file, from_file) = read_file(source)?;
    let mut env = EnvLayer::read(source.environment.iter().cloned());
    let config = extract(&from_file, &mut env)?;
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConfigError::Invalid(problems));
    }
    let settings = settings(&config, &from_file, &env.dict());
    Ok(Loaded { config, file, settings })
}

/// Where a variable gave a number and text is wanted, the number is taken as text, and all is read again.
fn extract(from_file: &Dict, env: &mut EnvLayer) -> Result<Config, ConfigError> {
    loop {
        let layers = Figment::from(Serialized::defaults(from_file)).merge(Serialized::defaults(env.dict()));
        let whole = layers.extract::<Dict>().map_err(|error| ConfigError::of_layers(&[error], &Value::from(Dict::new())))?;
        let errors = match read(whole.clone()) {
            Ok(config) => return Ok(config),
            Err(errors) => errors,
        };
        let mended = errors.iter().filter(|error| env.mend(error)).count();
        if mended == 0 {
            return Err(ConfigError::of_layers(&errors, &Value::from(whole)));
        }
    }
}

fn read_file(source: &Source) -> Result<(Option<PathBuf>, Dict), ConfigError> {
    let file = source.file.clone().unwrap_or_else(|| Source::default_file(&source.data_dir));
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(missing) if source.file.is_none() && missing.kind() == std::io::ErrorKind::NotFound => {
            return Ok((None, Dict::new()));
        }
        Err(error) => return Err(ConfigError::Unreadable { file, source: error }),
    };
    match Toml::from_str(&text) {
        Ok(dict) => Ok((Some(file), dict)),
        Err(error) => {
            let upto = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = upto.matches('\n').count() + 1;
            Err(ConfigError::Syntax { file, line, message: error.message().to_owned() })
        }
    }
}
