//! The key file: every secret of the installation, readable by its owner alone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use countersign_session::KeyMaterial;
use zeroize::Zeroizing;

/// The key file cannot be used. Shows no part of its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none, though there are records that were made with one.
    #[error("{} is missing: put it back from a backup; without it no session, proof or budget can be found again", file.display())]
    Missing {
        /// Where it should be.
        file: PathBuf,
    },
    /// Users of the machine other than its owner and group may read or write it.
    #[error("{} can be read by everybody on this machine (mode {mode:o}): run chmod 600 on it", file.display())]
    Open {
        /// Which file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds something else.
    #[error("{}, line {line}, cannot be read as a key file", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Where reading stopped.
        line: usize,
    },
    /// It cannot be read or written.
    #[error("{} cannot be read or written", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What everybody may do with a file.
const OTHERS: u32 = 0o007;

/// Reads the key file.
pub(crate) fn load(file: &Path) -> Result<KeyMaterial, KeyFileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { file: file.to_owned() },
        _ => KeyFileError::Io { file: file.to_owned(), source },
    };
    let mode = permissions(file).map_err(failed)?;
    if mode & OTHERS != 0 {
        return Err(KeyFileError::Open { file: file.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read(file).map_err(failed)?);
    serde_json::from_slice(&text).map_err(|error| KeyFileError::Malformed { file: file.to_owned(), line: error.line() })
}

/// Writes the key file, whole or not at all. Call it only where there is none, under [`DataDir::alone`](crate::DataDir::alone).
pub(crate) fn create(file: &Path, material: &KeyMaterial) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io { file: file.to_owned(), source };
    let text = Zeroizing::new(serde_json::to_vec_pretty(material).map_err(|error| failed(error.into()))?);
    let draft = file.with_extension("draft");
    write_private(&draft, &text).and_then(|()| fs::rename(&draft, file)).and_then(|()| sync_folder(file)).map_err(failed)
}

/// The permission bits of a file or folder.
pub(crate) fn permissions(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

fn write_private(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut draft = File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    draft.write_all(text)?;
    draft.sync_all()
}

/// Makes the file's name as durable as its content.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{SeededRng, Timestamp};

    use super::*;

    fn material(seed: u64) -> KeyMaterial {
        KeyMaterial::generate(&SeededRng::new(seed), Timestamp::from_millis(0))
    }

    #[test]
    fn a_new_key_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        create(&file, &material(1)).unwrap();
        assert_eq!(permissions(&file).unwrap(), 0o600);
        assert_eq!(load(&file).unwrap().subjects.kid, material(1).subjects.kid);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_file_that_everybody_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        create(&file, &material(1)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load(&file).unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_broken_key_file_is_told_by_its_line_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        write_private(&file, b"{\n\"codes\": \"hunter2\"}").unwrap();
        let refused = load(&file).unwrap_err();
        assert!(refused.to_string().contains("line 2"), "{refused}");
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
}
