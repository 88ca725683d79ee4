//! Files that are never on disk in plain text: sealed piece by piece while they are written, and opened piece by piece while they
//! are read.
//!
//! A file is a sequence of sealed pieces of equal length; the last one may be shorter. Each piece is bound to its file, its index
//! and whether it is the last one, so that exchanged, missing or cut pieces are detected. Equal lengths make the file seekable,
//! which spreadsheets need.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{Clock, Error, Keys, Result, keys::hex};

/// Plain bytes in a piece.
const PIECE: usize = 64 * 1024;

/// Bytes of the nonce and the tag of a piece.
const OVERHEAD: usize = 24 + 16;

/// Writer of a sealed file, which is incomplete before [`Self::finish`].
pub(super) struct SealedWriter {
    file: BufWriter<File>,
    keys: Keys,
    clock: Clock,
    name: String,
    index: u64,
    pending: Vec<u8>,
    hash: Sha256,
    length: u64,
}

/// Length and hash of a written file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Plain bytes.
    pub(super) length: u64,
    /// SHA-256 of the plain bytes, in hex.
    pub(super) hash: String,
}

impl SealedWriter {
    /// `name` is bound to the content: the file cannot be opened under another name.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file cannot be created.
    pub(super) fn create(path: &Path, name: &str, keys: &Keys, clock: &Clock) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| io_error(path, &error))?;
        }
        let file = File::create(path).map_err(|error| io_error(path, &error))?;
        Ok(Self {
            file: BufWriter::with_capacity(2 * PIECE, file),
            keys: keys.clone(),
            clock: clock.clone(),
            name: name.to_owned(),
            index: 0,
            pending: Vec::with_capacity(PIECE),
            hash: Sha256::new(),
            length: 0,
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Seals the remaining bytes as the last piece and syncs the file to disk.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub(super) fn finish(mut self) -> Result<Written> {
        let io = |error: io::Error| Error::Internal(format!("cannot write a file of an import: {error}"));
        self.seal(true).map_err(io)?;
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(io)?;
        Ok(Written { length: self.length, hash: hex(&self.hash.finalize().into()) })
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let piece_name = piece_name(&self.name, self.index, is_last);
        let sealed = self.keys.seal_piece(&self.clock, &piece_name, &self.pending).map_err(io::Error::other)?;
        self.pending.clear();
        self.index += 1;
        self.file.write_all(&sealed)
    }
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece is sealed when more bytes follow; until then it may be the last one.
        if self.pending.len() == PIECE && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(PIECE - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        self.hash.update(&bytes[..taken]);
        self.length += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seekable reader of a sealed file.
pub(super) struct SealedReader {
    file: File,
    keys: Keys,
    name: String,
    pieces: u64,
    length: u64,
    position: u64,
    open: Option<(u64, Vec<u8>)>,
}

impl SealedReader {
    /// # Errors
    /// [`Error::NotFound`] when there is no such file (files are removed after their retention), [`Error::Damaged`] when it was
    /// cut within the nonce and tag of a piece, [`Error::Internal`].
    pub(super) fn open(path: &Path, name: &str, keys: &Keys) -> Result<Self> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound,
            _ => io_error(path, &error),
        })?;
        let sealed = file.metadata().map_err(|error| io_error(path, &error))?.len();
        let pieces = sealed.div_ceil((PIECE + OVERHEAD) as u64);
        let last = sealed % (PIECE + OVERHEAD) as u64;
        if pieces == 0 || (1..OVERHEAD as u64).contains(&last) {
            return Err(Error::Damaged("a sealed file was cut off".to_owned()));
        }
        let length = sealed.saturating_sub(pieces * OVERHEAD as u64);
        Ok(Self { file, keys: keys.clone(), name: name.to_owned(), pieces, length, position: 0, open: None })
    }

    fn piece(&mut self, index: u64) -> io::Result<&[u8]> {
        if self.open.as_ref().is_none_or(|(known, _)| *known != index) {
            self.file.seek(SeekFrom::Start(index * (PIECE + OVERHEAD) as u64))?;
            let mut sealed = Vec::with_capacity(PIECE + OVERHEAD);
            (&mut self.file).take((PIECE + OVERHEAD) as u64).read_to_end(&mut sealed)?;
            let piece_name = piece_name(&self.name, index, index + 1 == self.pieces);
            self.open = Some((index, self.keys.open_piece(&piece_name, &sealed).map_err(io::Error::other)?));
        }
        Ok(self.open.as_ref().map(|(_, piece)| piece.as_slice()).unwrap_or_default())
    }
}

impl Read for SealedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let within = usize::try_from(self.position % PIECE as u64).unwrap_or_default();
        let piece = self.piece(self.position / PIECE as u64)?;
        let rest = piece.get(within..).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl Seek for SealedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.length, offset),
        };
        self.position =
            base.checked_add_signed(offset).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the beginning"))?;
        Ok(self.position)
    }
}

/// Opens every piece of a file to verify it.
///
/// # Errors
/// [`Error::Damaged`] when a piece cannot be opened or the file was cut, [`Error::NotFound`], [`Error::Internal`].
pub(super) fn check(path: &Path, name: &str, keys: &Keys) -> Result<()> {
    let mut reader = SealedReader::open(path, name, keys)?;
    for index in 0..reader.pieces {
        reader.piece(index).map_err(|error| error.downcast::<Error>().unwrap_or_else(|error| io_error(path, &error)))?;
    }
    Ok(())
}

fn piece_name(name: &str, index: u64, is_last: bool) -> String {
    format!("{name}\0{index}\0{}", if is_last { "last" } else { "more" })
}

fn io_error(path: &Path, error: &io::Error) -> Error {
    Error::Internal(format!("cannot use the file {}: {error}", path.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Opens a sealed file with this content each time it is called.
    pub(in super::super) fn opens(content: &[u8]) -> impl Fn() -> Result<SealedReader> + use<> {
        let (folder, path, keys) = sealed(content);
        move || {
            let _kept = &folder;
            SealedReader::open(&path, "one", &keys)
        }
    }

    fn sealed(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf, Keys) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("imports/one");
        let keys = Keys::from_master(&[7; 32]);
        let mut writer = SealedWriter::create(&path, "one", &keys, &Clock::system()).expect("creates");
        writer.write_all(content).expect("writes");
        let written = writer.finish().expect("finishes");
        assert_eq!(written.length, content.len() as u64);
        (folder, path, keys)
    }

    #[test]
    fn sealed_files_read_back_from_every_position() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Vec<u8> = (0..length).map(|at| u8::try_from(at * 31 % 251).expect("small")).collect();
            let (_folder, path, keys) = sealed(&content);
            let mut reader = SealedReader::open(&path, "one", &keys).expect("opens");
            let mut back = Vec::new();
            reader.read_to_end(&mut back).expect("reads");
            assert!(back == content, "{length} bytes");
            if length > 10 {
                reader.seek(SeekFrom::End(-5)).expect("seeks");
                let mut tail = Vec::new();
                reader.read_to_end(&mut tail).expect("reads");
                assert_eq!(tail, content[length - 5..]);
            }
        }
    }

    #[test]
    fn sealed_files_are_not_readable_and_cuts_are_detected() {
        let content = b"051090001234;0912345678\n".repeat(8_000);
        let (_folder, path, keys) = sealed(&content);
        let on_disk = fs::read(&path).expect("reads");
        assert!(!on_disk.windows(12).any(|window| window == b"051090001234"));

        fs::write(&path, &on_disk[..2 * (PIECE + OVERHEAD)]).expect("cuts");
        let cut = SealedReader::open(&path, "one", &keys).expect("opens").read_to_end(&mut Vec::new());
        assert!(cut.is_err(), "a file that lost its end is refused");
        assert!(matches!(check(&path, "one", &keys), Err(Error::Damaged(_))));
        for length in [0, 10, 2 * (PIECE + OVERHEAD) + 10] {
            fs::write(&path, &on_disk[..length]).expect("cuts");
            let cut = SealedReader::open(&path, "one", &keys);
            assert!(matches!(cut, Err(Error::Damaged(_))), "cut to {length} bytes");
        }
        fs::write(&path, &on_disk).expect("writes");
        check(&path, "one", &keys).expect("is whole again");
        let other = SealedReader::open(&path, "two", &keys).expect("opens").read_to_end(&mut Vec::new());
        assert!(other.is_err(), "a file under another name is refused");
    }
}
