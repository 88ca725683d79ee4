//! Pictures are drawn again before they are kept: what a camera notes beside them (place, time, device) stays behind, and what only
//! pretends to be a picture does not survive.

use std::io::Cursor;

use domain::files::{FileKind, FileRefused};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops::FilterType,
};

/// Longest side, and most points altogether: the largest of phones' cameras.
const SIDE_MAX: u32 = 16_000;
const POINTS_MAX: u64 = 64_000_000;

/// Memory a picture may take while it is drawn.
const MEMORY_MAX: u64 = 512 << 20;

const QUALITY: u8 = 88;

/// Sides of the small picture: a column of the page on the phone, sharp on its screen.
pub(super) const PREVIEW_WIDTH: u32 = 480;
pub(super) const PREVIEW_HEIGHT: u32 = 680;
const PREVIEW_QUALITY: u8 = 78;

/// A picture drawn again.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) content: Vec<u8>,
    /// The same, small; in the same format.
    pub(super) preview: Vec<u8>,
}

/// # Errors
/// [`FileRefused::Dimensions`] before anything is unpacked, [`FileRefused::Broken`].
pub(super) fn redraw(kind: FileKind, content: &[u8]) -> Result<Drawn, FileRefused> {
    let picture = read(kind, content)?;
    let small = picture.resize(PREVIEW_WIDTH, PREVIEW_HEIGHT, FilterType::Triangle);
    // Never larger than it was.
    let small = if small.width() > picture.width() { &picture } else { &small };
    Ok(Drawn { preview: write(kind, small, PREVIEW_QUALITY)?, content: write(kind, &picture, QUALITY)? })
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
    if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > POINTS_MAX {
        return Err(FileRefused::Dimensions);
    }
    // The note of how the camera was held goes with the other notes; the picture is turned instead.
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn write(kind: FileKind, picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, FileRefused> {
    let mut content = Vec::new();
    let has_alpha = picture.color().has_alpha();
    let (width, height) = (picture.width(), picture.height());
    let written = match kind {
        FileKind::Png if has_alpha => {
            PngEncoder::new(&mut content).write_image(&picture.to_rgba8(), width, height, ExtendedColorType::Rgba8)
        }
        FileKind::Png => PngEncoder::new(&mut content).write_image(&picture.to_rgb8(), width, height, ExtendedColorType::Rgb8),
        _ => JpegEncoder::new_with_quality(&mut content, quality).write_image(
            &picture.to_rgb8(),
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
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
    use crate::files::samples::png;

    #[test]
    fn what_was_noted_beside_a_picture_stays_behind() {
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
    fn a_photograph_is_turned_as_it_was_held_and_forgets_where_it_was_taken() {
        let mut photograph = Vec::new();
        let points = vec![200; 40 * 20 * 3];
        JpegEncoder::new(&mut photograph).write_image(&points, 40, 20, ExtendedColorType::Rgb8).expect("draws");
        // Notes of a camera (TIFF, one of them: held upright), put in behind the first mark.
        let notes = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0 15.27 N 108.79 E";
        let length = u16::try_from(notes.len() + 2).expect("small").to_be_bytes();
        photograph.splice(2..2, [&b"\xff\xe1"[..], &length, notes].concat());
        let after = redraw(FileKind::Jpeg, &photograph).expect("is a picture");
        assert!(!after.content.windows(5).any(|window| window == b"15.27" || window == b"Exif\0"));
        let picture = image::load_from_memory(&after.content).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (20, 40));
    }

    #[test]
    fn too_many_points_are_refused_before_they_are_unpacked() {
        for (width, height) in [(60_000, 60_000), (16_001, 1), (1, 16_001), (10_000, 10_000)] {
            assert_eq!(redraw(FileKind::Png, &png(width, height)).err(), Some(FileRefused::Dimensions), "{width} × {height}");
        }
    }

    #[test]
    fn what_only_begins_like_a_picture_is_none() {
        let whole = png(40, 40);
        for content in [&whole[..50], &b"\x89PNG\r\n\x1a\n<svg>"[..]] {
            assert_eq!(redraw(FileKind::Png, content).err(), Some(FileRefused::Broken));
        }
        assert_eq!(redraw(FileKind::Jpeg, b"\xff\xd8\xff\xe0 <html>").err(), Some(FileRefused::Broken));
    }
}
