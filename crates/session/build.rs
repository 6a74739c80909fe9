//! Puts the Lua scripts of the Redis engine together.
//!
//! Redis runs a script from its first line at each call: every function it does not need and every constant that functions share costs time
//! there. So each script is the parts it uses (`lib*.lua`), with constants written out and comments left away.
//!
//! A constant is a name in capitals that stands at the beginning of a line, for a number or a text. Parts hold nothing but those, functions,
//! and locals of one line.

#![expect(clippy::expect_used, reason = "what cannot be built is not built")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

const SCRIPTS: &str = "src/store/redis/lua";

fn main() {
    println!("cargo::rerun-if-changed={SCRIPTS}");
    let mut files: Vec<PathBuf> =
        fs::read_dir(SCRIPTS).expect("there are scripts").map(|file| file.expect("it can be listed").path()).collect();
    files.sort();
    let (parts, scripts): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| stem(file).starts_with("lib"));
    // Later parts build on earlier ones: their names say the order.
    let library: String = parts.iter().map(|part| bare(&read(part))).collect();
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    for script in scripts {
        fs::write(target.join(script.file_name().expect("it has a name")), compose(&library, &read(&script)))
            .expect("it can be written");
    }
}

fn stem(file: &Path) -> &str {
    file.file_stem().and_then(|stem| stem.to_str()).expect("names are plain")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("it can be read")
}

/// The first line of a script tells Redis what it may do; it stays the first.
fn compose(library: &str, script: &str) -> String {
    let (flags, script) = script.split_once('\n').expect("a script has lines");
    assert!(flags.starts_with("#!lua"), "a script begins with #!lua");
    let script = bare(script);
    let whole = [library, &script].concat();
    let constants = constants(&whole);
    let library = written_out(library, &constants);
    let script = written_out(&script, &constants);
    format!("{flags}\n{}{script}", needed(&library, &script))
}

/// Without comments and empty lines.
fn bare(text: &str) -> String {
    let lines = text.lines().map(|line| line[..comment(line)].trim_end()).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Where the comment of a line begins.
fn comment(line: &str) -> usize {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '-' if !quoted && line[at..].starts_with("--") => return at,
            _ => {}
        }
    }
    line.len()
}

/// The names and values of a line of constants; none of any other line.
fn constant(line: &str) -> Option<Vec<(&str, &str)>> {
    let (names, values) = line.strip_prefix("local ")?.split_once(" = ")?;
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let is_text = |value: &str| {
        value.len() >= 2 && value.starts_with('\'') && value.find('\'') != value.rfind('\'') && value.ends_with('\'')
    };
    let is_value = |value: &&str| is_text(value) || value.bytes().all(|byte| byte.is_ascii_digit() || b" *".contains(&byte));
    let (names, values): (Vec<_>, Vec<_>) = (names.split(", ").collect(), values.split(", ").collect());
    let plain = names.iter().all(is_name) && values.iter().all(is_value) && names.len() == values.len();
    plain.then(|| names.into_iter().zip(values).collect())
}

fn constants(text: &str) -> BTreeMap<&str, &str> {
    let mut constants = BTreeMap::new();
    for (name, value) in text.lines().filter_map(constant).flatten() {
        assert!(constants.insert(name, value).is_none(), "{name} is two constants");
    }
    constants
}

/// With values in the place of constants.
fn written_out(text: &str, constants: &BTreeMap<&str, &str>) -> String {
    let lines = text.lines().filter(|line| constant(line).is_none());
    lines.map(|line| words(line).map(|word| constants.get(word).copied().unwrap_or(word)).collect::<String>() + "\n").collect()
}

/// Words, texts in quotes, and what stands between them.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let length = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let word;
        (word, rest) = rest.split_at(length);
        Some(word)
    })
}

/// The functions and locals of the library that a script needs, and what those need.
fn needed(library: &str, script: &str) -> String {
    let mut wanted: BTreeSet<&str> = script.lines().flat_map(words).collect();
    let chunks = chunks(library);
    let mut kept = vec![false; chunks.len()];
    while let Some(at) =
        (0..chunks.len()).find(|at| !kept[*at] && chunks[*at].names.iter().any(|name| wanted.contains(name.as_str())))
    {
        kept[at] = true;
        wanted.extend(chunks[at].text.lines().flat_map(words));
    }
    chunks.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(chunk, _)| chunk.text.as_str()).collect()
}

/// A function, or a line of locals.
struct Chunk {
    names: Vec<String>,
    text: String,
}

fn chunks(library: &str) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut is_open = false;
    for line in library.lines() {
        if is_open {
            let chunk = chunks.last_mut().expect("a function has begun");
            chunk.text.push_str(line);
            chunk.text.push('\n');
            is_open = line != "end";
            continue;
        }
        let rest = line.strip_prefix("local ").expect("parts hold functions and locals of one line");
        let names = match rest.strip_prefix("function ") {
            Some(function) => {
                is_open = true;
                &function[..function.find('(').expect("a function takes something")]
            }
            None => rest.split(" = ").next().unwrap_or(rest),
        };
        chunks.push(Chunk { names: names.split(", ").map(str::to_owned).collect(), text: format!("{line}\n") });
    }
    chunks
}
