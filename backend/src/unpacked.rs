//! How large a packed file would become, found out without unpacking it, and single parts of it unpacked up to a limit.
//!
//! A zip file says how large its parts are, but may lie, and the reader of spreadsheets holds some parts in memory as a whole. So the
//! packed data are followed (DEFLATE, RFC 1951), counting the bytes they stand for and keeping those only that are asked for.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// Parts a spreadsheet has by far fewer of.
const PARTS_MAX: u16 = 2_000;

/// The size of all parts together; counting ends above `limit`.
///
/// # Errors
/// When it is not a zip file with stored or deflated parts.
pub(crate) fn size<R: Read + Seek>(file: &mut R, limit: u64) -> io::Result<u64> {
    let mut total = 0;
    for part in parts(file)? {
        let mut count = Count(0);
        match part.method {
            0 => count.0 = part.packed,
            _ => part.unpack(file, &mut count, limit - total)?,
        }
        total += count.0;
        if total > limit {
            break;
        }
    }
    Ok(total)
}

/// A part of a zip file.
pub(crate) struct Part {
    pub(crate) name: String,
    method: u16,
    packed: u64,
    header: u64,
}

impl Part {
    /// Where its data begin: behind a header of its own, whose length is told there only.
    fn data<R: Read + Seek>(&self, file: &mut R) -> io::Result<u64> {
        file.seek(SeekFrom::Start(self.header))?;
        let mut header = [0; 30];
        file.read_exact(&mut header)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(broken());
        }
        Ok(self.header + 30 + u64::from(short(&header, 26)) + u64::from(short(&header, 28)))
    }

    /// What is in it.
    ///
    /// # Errors
    /// When it is damaged, packed in another way, or larger than `limit`.
    pub(crate) fn content<R: Read + Seek>(&self, file: &mut R, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.unpack(file, &mut content, limit)?;
        if content.len() as u64 > limit { Err(broken()) } else { Ok(content) }
    }

    /// Unpacks into `sink`; ends somewhere above `limit`.
    fn unpack<R: Read + Seek>(&self, file: &mut R, sink: &mut impl Sink, limit: u64) -> io::Result<()> {
        let data = self.data(file)?;
        file.seek(SeekFrom::Start(data))?;
        let packed = BufReader::new(file.by_ref().take(self.packed));
        match self.method {
            0 => packed.take(limit.saturating_add(1)).bytes().try_for_each(|byte| byte.map(|byte| sink.push(byte))),
            8 => inflate(packed, sink, limit),
            _ => Err(broken()),
        }
    }
}

/// Where unpacked bytes go.
trait Sink {
    fn push(&mut self, byte: u8);
    /// `length` bytes again that came `distance` bytes before.
    fn copy(&mut self, length: u64, distance: u64) -> io::Result<()>;
    fn total(&self) -> u64;
}

struct Count(u64);

impl Sink for Count {
    fn push(&mut self, _: u8) {
        self.0 += 1;
    }

    fn copy(&mut self, length: u64, _: u64) -> io::Result<()> {
        self.0 += length;
        Ok(())
    }

    fn total(&self) -> u64 {
        self.0
    }
}

impl Sink for Vec<u8> {
    fn push(&mut self, byte: u8) {
        Vec::push(self, byte);
    }

    fn copy(&mut self, length: u64, distance: u64) -> io::Result<()> {
        let distance = usize::try_from(distance).map_err(|_| broken())?;
        // The bytes copied may be among those just written.
        for _ in 0..length {
            let byte = self.len().checked_sub(distance).and_then(|at| self.get(at)).copied().ok_or_else(broken)?;
            Vec::push(self, byte);
        }
        Ok(())
    }

    fn total(&self) -> u64 {
        self.len() as u64
    }
}

/// The parts as the directory at the end of the file lists them.
///
/// # Errors
/// When it is not a zip file.
pub(crate) fn parts<R: Read + Seek>(file: &mut R) -> io::Result<Vec<Part>> {
    /// The end of the directory, and a comment behind it.
    const END_MAX: u64 = 22 + 65_535;
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(END_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or_else(broken)?;
    let end = tail.get(end..end + 22).ok_or_else(broken)?;
    let (count, size, offset) = (short(end, 10), long(end, 12), long(end, 16));
    // The larger form of the format is for files we do not take.
    if count > PARTS_MAX || size > 4 << 20 || offset == u32::MAX {
        return Err(broken());
    }
    file.seek(SeekFrom::Start(offset.into()))?;
    let mut directory = Vec::new();
    file.by_ref().take(size.into()).read_to_end(&mut directory)?;
    let mut rest = directory.as_slice();
    (0..count)
        .map(|_| {
            let entry = rest.get(..46).filter(|entry| entry.starts_with(b"PK\x01\x02")).ok_or_else(broken)?;
            let more = [28, 30, 32].map(|at| usize::from(short(entry, at))).iter().sum::<usize>();
            let name = rest.get(46..46 + usize::from(short(entry, 28))).ok_or_else(broken)?;
            let name = String::from_utf8_lossy(name).into_owned();
            let part = Part { name, method: short(entry, 10), packed: long(entry, 20).into(), header: long(entry, 42).into() };
            rest = rest.get(46 + more..).ok_or_else(broken)?;
            Ok(part)
        })
        .collect()
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

/// Unpacks a deflated stream; ends above `limit`.
fn inflate(packed: impl BufRead, sink: &mut impl Sink, limit: u64) -> io::Result<()> {
    let mut bits = Bits { bytes: packed.bytes(), held: 0, count: 0 };
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, sink)?,
            1 => coded(&mut bits, &Codes::fixed_lengths(), &Codes::fixed_distances(), sink, limit)?,
            2 => {
                let (lengths, distances) = dynamic(&mut bits)?;
                coded(&mut bits, &lengths, &distances, sink, limit)?;
            }
            _ => return Err(broken()),
        }
        if is_last || sink.total() > limit {
            return Ok(());
        }
    }
}

struct Bits<B> {
    bytes: B,
    held: u32,
    count: u32,
}

impl<B: Iterator<Item = io::Result<u8>>> Bits<B> {
    /// The next `wanted` bits, at most 16, the first one lowest.
    fn take(&mut self, wanted: u32) -> io::Result<u32> {
        while self.count < wanted {
            self.held |= u32::from(self.bytes.next().ok_or_else(broken)??) << self.count;
            self.count += 8;
        }
        let taken = self.held & ((1 << wanted) - 1);
        self.held >>= wanted;
        self.count -= wanted;
        Ok(taken)
    }

    /// A code comes bit by bit, the highest first: it is complete when it lies among the codes of its length.
    fn symbol(&mut self, codes: &Codes) -> io::Result<u16> {
        let (mut code, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for count in &codes.counts[1..] {
            code |= self.take(1)?;
            let count = u32::from(*count);
            if code < first + count {
                return codes.symbols.get((index + code - first) as usize).copied().ok_or_else(broken);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(broken())
    }
}

/// A canonical prefix code: how many codes of each length there are, and their symbols in order.
struct Codes {
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; 16];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut symbols: Vec<u16> = (0..u16::try_from(lengths.len()).unwrap_or(u16::MAX)).collect();
        symbols.retain(|symbol| lengths[usize::from(*symbol)] != 0);
        symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        Self { counts, symbols }
    }

    fn fixed_lengths() -> Self {
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Self::new(&lengths)
    }

    fn fixed_distances() -> Self {
        Self::new(&[5; 30])
    }
}

fn stored(bits: &mut Bits<impl Iterator<Item = io::Result<u8>>>, sink: &mut impl Sink) -> io::Result<()> {
    bits.take(bits.count % 8)?;
    let (length, check) = (bits.take(16)?, bits.take(16)?);
    if length != !check & 0xFFFF {
        return Err(broken());
    }
    for _ in 0..length {
        sink.push(u8::try_from(bits.take(8)?).unwrap_or_default());
    }
    Ok(())
}

fn coded(
    bits: &mut Bits<impl Iterator<Item = io::Result<u8>>>,
    lengths: &Codes,
    distances: &Codes,
    sink: &mut impl Sink,
    limit: u64,
) -> io::Result<()> {
    const BASE: [u16; 29] =
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    const EXTRA: [u32; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    while sink.total() <= limit {
        match bits.symbol(lengths)? {
            literal @ 0..256 => sink.push(u8::try_from(literal).unwrap_or_default()),
            256 => return Ok(()),
            symbol => {
                let index = usize::from(symbol - 257);
                let base = BASE.get(index).ok_or_else(broken)?;
                let length = u64::from(*base) + u64::from(bits.take(EXTRA[index])?);
                let code = u64::from(bits.symbol(distances)?);
                // Two codes of distances have no bits more, then two one bit more, and so on: each pair reaches twice as far.
                let extra = u32::try_from(code / 2).unwrap_or_default().saturating_sub(1);
                let base = if code < 2 { code } else { (2 + code % 2) << extra };
                sink.copy(length, base + u64::from(bits.take(extra)?) + 1)?;
            }
        }
    }
    Ok(())
}

/// Both codes of a block that brings its own, themselves in a code.
fn dynamic(bits: &mut Bits<impl Iterator<Item = io::Result<u8>>>) -> io::Result<(Codes, Codes)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances) = (bits.take(5)? as usize + 257, bits.take(5)? as usize + 1);
    let given = bits.take(4)? as usize + 4;
    let mut own = [0_u8; 19];
    for at in &ORDER[..given] {
        own[*at] = u8::try_from(bits.take(3)?).unwrap_or_default();
    }
    let own = Codes::new(&own);
    let mut lengths: Vec<u8> = Vec::with_capacity(literals + distances);
    while lengths.len() < literals + distances {
        let (length, times) = match bits.symbol(&own)? {
            16 => (*lengths.last().ok_or_else(broken)?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (u8::try_from(length).map_err(|_| broken())?, 1),
        };
        lengths.extend((0..times).map(|_| length));
    }
    if lengths.len() > literals + distances {
        return Err(broken());
    }
    let (literals, distances) = lengths.split_at(literals);
    Ok((Codes::new(literals), Codes::new(distances)))
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
    fn the_size_is_the_one_the_file_tells_when_it_tells_the_truth() {
        let book = workbook(3_000);
        let mut file = Cursor::new(&book);
        let told: u64 = {
            // Sizes in the directory: 24 bytes behind each of its marks.
            let at =
                |mark: &[u8; 4]| book.windows(4).enumerate().filter(|(_, w)| w == mark).map(|(at, _)| at).collect::<Vec<_>>();
            at(b"PK\x01\x02").into_iter().map(|at| u64::from(long(&book, at + 24))).sum()
        };
        assert_eq!(size(&mut file, u64::MAX / 2).expect("a zip file"), told);
        assert!(told > 100_000);
    }

    #[test]
    fn a_file_that_lies_about_its_size_is_found_out() {
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
    fn what_is_no_zip_file_is_no_panic() {
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
}
