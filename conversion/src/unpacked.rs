//! Measures the unpacked size of a zip file without storing it, and unpacks single parts up to a limit.
//!
//! The sizes declared in a zip file may be wrong, and the spreadsheet reader holds some parts in memory as a whole. So the parts
//! are unpacked once to count their bytes. The crate `flate2` unpacks them. The directory is parsed here, because zip readers
//! allow parts to share bytes, with which a small file can require any amount of work.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom},
    time::{Duration, Instant},
};

use flate2::bufread::DeflateDecoder;

/// Most parts of a file. A spreadsheet has far fewer.
const PARTS_MAX: u16 = 2_000;

/// Time limit for measuring a file. The largest accepted file takes a few seconds.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The unpacked size of all parts in bytes. Stops counting above `limit`.
///
/// # Errors
/// When the file is not a zip file with stored or deflated parts, or unpacking takes too long.
pub fn size<R: Read + Seek>(file: &mut R, limit: u64) -> io::Result<u64> {
    size_until(file, limit, Instant::now() + TIME_MAX)
}

fn size_until<R: Read + Seek>(file: &mut R, limit: u64, until: Instant) -> io::Result<u64> {
    let mut total = 0;
    let mut buffer = vec![0; 64 << 10];
    for part in parts(file)? {
        if part.method == 0 {
            total += part.packed;
        } else {
            let mut unpacked = part.unpacked(file)?;
            while total <= limit {
                if Instant::now() >= until {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                match unpacked.read(&mut buffer)? {
                    0 => break,
                    read => total += read as u64,
                }
            }
        }
        if total > limit {
            break;
        }
    }
    Ok(total)
}

/// A part of a zip file.
pub struct Part {
    pub name: String,
    method: u16,
    packed: u64,
    header: u64,
}

impl Part {
    /// The offset of its data, after a local header of variable length.
    fn data<R: Read + Seek>(&self, file: &mut R) -> io::Result<u64> {
        file.seek(SeekFrom::Start(self.header))?;
        let mut header = [0; 30];
        file.read_exact(&mut header)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(broken());
        }
        Ok(self.header + HEADER + u64::from(short(&header, 26)) + u64::from(short(&header, 28)))
    }

    /// Its unpacked content.
    ///
    /// # Errors
    /// When the part is damaged, uses another compression method, or is larger than `limit`.
    pub fn content<R: Read + Seek>(&self, file: &mut R, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.unpacked(file)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
        let is_cut = self.method == 0 && content.len() as u64 != self.packed;
        if is_cut || content.len() as u64 > limit { Err(broken()) } else { Ok(content) }
    }

    fn unpacked<'f, R: Read + Seek>(&self, file: &'f mut R) -> io::Result<Box<dyn Read + 'f>> {
        let data = self.data(file)?;
        file.seek(SeekFrom::Start(data))?;
        let packed = BufReader::new(file.by_ref().take(self.packed));
        match self.method {
            0 => Ok(Box::new(packed)),
            8 => Ok(Box::new(DeflateDecoder::new(packed))),
            _ => Err(broken()),
        }
    }
}

/// The minimum length of a local header.
const HEADER: u64 = 30;

/// The parts listed in the directory at the end of the file.
///
/// # Errors
/// When the file is not a zip file, or parts share bytes.
pub fn parts<R: Read + Seek>(file: &mut R) -> io::Result<Vec<Part>> {
    /// The end record of the directory and the comment after it.
    const END_MAX: u64 = 22 + 65_535;
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(END_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or_else(broken)?;
    let end = tail.get(end..end + 22).ok_or_else(broken)?;
    let (count, size, offset) = (short(end, 10), long(end, 12), long(end, 16));
    // Zip64 is only needed for files above our limits.
    if count > PARTS_MAX || size > 4 << 20 || offset == u32::MAX {
        return Err(broken());
    }
    file.seek(SeekFrom::Start(offset.into()))?;
    let mut directory = Vec::new();
    file.by_ref().take(size.into()).read_to_end(&mut directory)?;
    let mut rest = directory.as_slice();
    let parts: Vec<Part> = (0..count)
        .map(|_| {
            let entry = rest.get(..46).filter(|entry| entry.starts_with(b"PK\x01\x02")).ok_or_else(broken)?;
            let more = [28, 30, 32].map(|at| usize::from(short(entry, at))).iter().sum::<usize>();
            let name = rest.get(46..46 + usize::from(short(entry, 28))).ok_or_else(broken)?;
            let name = String::from_utf8_lossy(name).into_owned();
            let part = Part { name, method: short(entry, 10), packed: long(entry, 20).into(), header: long(entry, 42).into() };
            rest = rest.get(46 + more..).ok_or_else(broken)?;
            Ok(part)
        })
        .collect::<io::Result<_>>()?;
    if lie_apart(&parts, length) { Ok(parts) } else { Err(broken()) }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Whether the parts are disjoint and end within the file.
fn lie_apart(parts: &[Part], length: u64) -> bool {
    let mut places: Vec<(u64, u64)> = parts.iter().map(|part| (part.header, part.header + HEADER + part.packed)).collect();
    places.sort_unstable();
    places.windows(2).all(|pair| pair[0].1 <= pair[1].0) && places.last().is_none_or(|(_, end)| *end <= length)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn workbook(rows: u32) -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for row in 0..rows {
            sheet.write_string(row, 0, format!("Nguyễn Văn {row}")).expect("writes");
            sheet.write_number(row, 1, f64::from(row) * 1.7).expect("writes");
        }
        book.save_to_buffer().expect("saves")
    }

    #[test]
    fn the_size_equals_the_declared_size() {
        let book = workbook(3_000);
        let mut file = Cursor::new(&book);
        let told: u64 = {
            // Sizes in the directory: 24 bytes after each signature.
            let at =
                |mark: &[u8; 4]| book.windows(4).enumerate().filter(|(_, w)| w == mark).map(|(at, _)| at).collect::<Vec<_>>();
            at(b"PK\x01\x02").into_iter().map(|at| u64::from(long(&book, at + 24))).sum()
        };
        assert_eq!(size(&mut file, u64::MAX / 2).expect("a zip file"), told);
        assert!(told > 100_000);
    }

    #[test]
    fn a_false_declared_size_is_detected() {
        let mut book = workbook(3_000);
        let marks: Vec<usize> = book.windows(4).enumerate().filter(|(_, w)| w == b"PK\x01\x02").map(|(at, _)| at).collect();
        for mark in marks {
            book[mark + 24..mark + 28].copy_from_slice(&1_u32.to_le_bytes());
        }
        assert!(size(&mut Cursor::new(&book), 50_000).expect("a zip file") > 50_000);
    }

    #[test]
    fn a_part_is_unpacked_as_it_was_and_not_beyond_its_limit() {
        let book = workbook(3_000);
        let mut file = Cursor::new(&book);
        let parts = parts(&mut file).expect("a zip file");
        let texts = parts.iter().find(|part| part.name == "xl/sharedStrings.xml").expect("the texts");
        let content = texts.content(&mut file, 10 << 20).expect("unpacks");
        let content = String::from_utf8(content).expect("a text");
        assert!(content.starts_with("<?xml") && content.ends_with("</sst>"), "{content}");
        for row in [0, 1, 1_999, 2_999] {
            assert!(content.contains(&format!("<t>Nguyễn Văn {row}</t>")), "row {row}");
        }
        assert!(texts.content(&mut file, content.len() as u64).is_ok());
        assert!(texts.content(&mut file, content.len() as u64 - 1).is_err());
    }

    #[test]
    fn damaged_zip_files_do_not_panic() {
        let book = workbook(10);
        let letters = vec![b'P'; 70_000];
        for content in [&b""[..], b"PK\x03\x04", b"PK\x05\x06", &book[..book.len() / 2], &letters] {
            assert!(size(&mut Cursor::new(content), 1_000).is_err());
        }
        for at in (0..book.len()).step_by(7) {
            let mut broken = book.clone();
            broken[at] ^= 0x55;
            let _ = size(&mut Cursor::new(&broken), 1_000_000);
            let mut file = Cursor::new(&broken);
            for part in parts(&mut file).into_iter().flatten() {
                let _ = part.content(&mut file, 1_000_000);
            }
        }
    }

    /// The offsets of the directory's entries.
    fn entries(book: &[u8]) -> Vec<usize> {
        book.windows(4).enumerate().filter(|(_, window)| window == b"PK\x01\x02").map(|(at, _)| at).collect()
    }

    #[test]
    fn parts_that_share_bytes_are_refused() {
        let book = workbook(3_000);
        let entries = entries(&book);
        assert!(entries.len() > 3 && size(&mut Cursor::new(&book), u64::MAX / 2).is_ok());
        let mut shared = book.clone();
        let first: Vec<u8> = book[entries[0] + 42..entries[0] + 46].to_vec();
        shared[entries[1] + 42..entries[1] + 46].copy_from_slice(&first);
        assert!(size(&mut Cursor::new(&shared), u64::MAX / 2).is_err(), "two parts at one offset");
        for longer in [1_000_000_u32, u32::MAX] {
            let mut overlaps = book.clone();
            overlaps[entries[0] + 20..entries[0] + 24].copy_from_slice(&longer.to_le_bytes());
            assert!(parts(&mut Cursor::new(&overlaps)).is_err(), "a part that reaches into others or beyond the file");
        }
    }

    #[test]
    fn unpacking_times_out() {
        let book = workbook(3_000);
        let late = size_until(&mut Cursor::new(&book), u64::MAX / 2, Instant::now());
        assert_eq!(late.expect_err("no time").kind(), io::ErrorKind::TimedOut);
    }
}
