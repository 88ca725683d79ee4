//! Re-encodes pictures before they are stored. This removes the metadata of cameras (place, time, device), and rejects files that
//! only look like pictures.

use std::{
    io::Cursor,
    sync::{Mutex, PoisonError},
};

use domain::files::{FileKind, FileRefused};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops::FilterType,
};

/// Maximum side, and maximum number of pixels: the largest of phone cameras.
const SIDE_MAX: u32 = 16_000;
const POINTS_MAX: u64 = 64_000_000;

/// Maximum memory for the pixels of a decoded picture, and again for the decoder, in bytes. Enough for [`POINTS_MAX`] pixels of
/// eight bits per channel, or for half as many of sixteen, which only scanners write.
const MEMORY_MAX: u64 = 256 << 20;

/// Pictures are decoded one at a time: each may need three times that memory for a moment.
static ALONE: Mutex<()> = Mutex::new(());

const QUALITY: u8 = 88;

/// Sides of the preview: the width of a column of the page on a phone, at its pixel density.
pub const PREVIEW_WIDTH: u32 = 480;
pub const PREVIEW_HEIGHT: u32 = 680;
const PREVIEW_QUALITY: u8 = 78;

/// A re-encoded picture.
#[derive(Debug)]
pub struct RenderedPicture {
    pub content: Vec<u8>,
    /// A small version in the same format.
    pub preview: Vec<u8>,
}

/// Decodes a picture and encodes it again, with a preview.
///
/// # Errors
/// [`FileRefused::Dimensions`] before decoding, [`FileRefused::Broken`].
pub fn redraw(kind: FileKind, content: &[u8]) -> Result<RenderedPicture, FileRefused> {
    // The mutex guards no data, so a poisoned one is usable.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let picture = coarse(read(kind, content)?);
    let small = picture.resize(PREVIEW_WIDTH, PREVIEW_HEIGHT, FilterType::Triangle);
    // Never enlarged.
    let small = if small.width() > picture.width() { &picture } else { &small };
    Ok(RenderedPicture { preview: write(kind, small, PREVIEW_QUALITY)?, content: write(kind, &picture, QUALITY)? })
}

fn read(kind: FileKind, content: &[u8]) -> Result<DynamicImage, FileRefused> {
    let format = if kind == FileKind::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    let is_large = width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > POINTS_MAX;
    if is_large || decoder.total_bytes() > MEMORY_MAX {
        return Err(FileRefused::Dimensions);
    }
    // The orientation is part of the removed metadata, so it is applied to the pixels.
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Converts to eight bits per channel, the only depth that is stored.
fn coarse(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() { picture.into_rgba8().into() } else { picture.into_rgb8().into() }
}

fn write(kind: FileKind, picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, FileRefused> {
    let mut content = Vec::new();
    let (points, color) = (picture.as_bytes(), ExtendedColorType::from(picture.color()));
    let (width, height) = (picture.width(), picture.height());
    let written = match kind {
        FileKind::Png => PngEncoder::new(&mut content).write_image(points, width, height, color),
        _ => JpegEncoder::new_with_quality(&mut content, quality).write_image(points, width, height, color),
    };
    written.map_err(refused)?;
    Ok(content)
}

fn refused(error: image::ImageError) -> FileRefused {
    match error {
        image::ImageError::Limits(_) => FileRefused::Dimensions,
        _ => FileRefused::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{crc, png};

    #[test]
    fn metadata_of_a_png_is_removed() {
        let before = png(900, 30);
        assert!(before.windows(7).any(|window| window == b"Ganh Da"));
        let after = redraw(FileKind::Png, &before).expect("is a picture");
        assert!(!after.content.windows(7).any(|window| window == b"Ganh Da"));
        let sides = |content: &[u8]| image::load_from_memory(content).map(|picture| (picture.width(), picture.height()));
        assert_eq!(sides(&after.content).expect("a picture"), (900, 30));
        assert_eq!(sides(&after.preview).expect("a picture"), (480, 16));
        let small = redraw(FileKind::Png, &png(10, 10)).expect("is a picture");
        assert_eq!(sides(&small.preview).expect("a picture"), (10, 10));
    }

    #[test]
    fn a_jpeg_is_rotated_by_its_orientation_and_loses_its_metadata() {
        let mut photograph = Vec::new();
        let points = vec![200; 40 * 20 * 3];
        JpegEncoder::new(&mut photograph).write_image(&points, 40, 20, ExtendedColorType::Rgb8).expect("draws");
        // Exif metadata with one TIFF entry (orientation), inserted after the first marker.
        let notes = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0 15.27 N 108.79 E";
        let length = u16::try_from(notes.len() + 2).expect("small").to_be_bytes();
        photograph.splice(2..2, [&b"\xff\xe1"[..], &length, notes].concat());
        let after = redraw(FileKind::Jpeg, &photograph).expect("is a picture");
        assert!(!after.content.windows(5).any(|window| window == b"15.27" || window == b"Exif\0"));
        let picture = image::load_from_memory(&after.content).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (20, 40));
    }

    #[test]
    fn too_many_pixels_are_refused_before_decoding() {
        for (width, height) in [(60_000, 60_000), (16_001, 1), (1, 16_001), (10_000, 10_000)] {
            assert_eq!(redraw(FileKind::Png, &png(width, height)).err(), Some(FileRefused::Dimensions), "{width} × {height}");
        }
    }

    #[test]
    fn a_picture_of_16_bits_counts_at_its_decoded_size() {
        // The header declares 16 bits, RGB and alpha.
        let fine = |width, height| {
            let mut picture = png(width, height);
            picture[24..26].copy_from_slice(&[16, 6]);
            let sum = crc(&picture[12..29]).to_be_bytes();
            picture[29..33].copy_from_slice(&sum);
            picture
        };
        assert_eq!(redraw(FileKind::Png, &fine(6_000, 6_000)).err(), Some(FileRefused::Dimensions));
        assert_eq!(redraw(FileKind::Png, &fine(5_000, 5_000)).err(), Some(FileRefused::Broken), "is decoded, and has no pixels");
        let mut picture = Vec::new();
        let points: Vec<u8> = [255, 128, 0, 64].repeat(4).into_iter().flat_map(|point| [point; 2]).collect();
        PngEncoder::new(&mut picture).write_image(&points, 2, 2, ExtendedColorType::Rgba16).expect("draws");
        let after = image::load_from_memory(&redraw(FileKind::Png, &picture).expect("is a picture").content).expect("a picture");
        assert_eq!((after.color(), &after.as_bytes()[..4]), (image::ColorType::Rgba8, &[255, 128, 0, 64][..]));
    }

    #[test]
    fn a_file_with_only_the_signature_of_a_picture_is_refused() {
        let whole = png(40, 40);
        for content in [&whole[..50], &b"\x89PNG\r\n\x1a\n<svg>"[..]] {
            assert_eq!(redraw(FileKind::Png, content).err(), Some(FileRefused::Broken));
        }
        assert_eq!(redraw(FileKind::Jpeg, b"\xff\xd8\xff\xe0 <html>").err(), Some(FileRefused::Broken));
    }
}
