//! Clips: binary PGM pictures of one size, one after the other.

use std::fmt::Write as _;

use pop_sdk::HandlerError;
use sha2::{Digest as _, Sha256};

/// A clip in memory: the bytes of its pictures.
#[derive(Debug)]
pub struct Clip<'b> {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// One byte for each point, row by row.
    pub frames: Vec<&'b [u8]>,
}

impl<'b> Clip<'b> {
    /// Reads a clip.
    ///
    /// # Errors
    /// A fatal one when it is no clip: another attempt would find the same.
    pub fn read(bytes: &'b [u8]) -> Result<Self, HandlerError> {
        let wrong = |why: String| HandlerError::fatal(why).code("NotAClip");
        let mut rest = bytes;
        let mut clip = Self { width: 0, height: 0, frames: Vec::new() };
        while !rest.is_empty() {
            let number = clip.frames.len() + 1;
            let Some((width, height, body)) = header(rest) else {
                return Err(wrong(format!("picture {number} does not begin as a binary PGM with 256 greys")));
            };
            if number == 1 {
                (clip.width, clip.height) = (width, height);
            } else if (width, height) != (clip.width, clip.height) {
                return Err(wrong(format!("picture {number} is {width}x{height}, the first one is not")));
            }
            let size = width as usize * height as usize;
            let Some(points) = body.get(..size).filter(|p| !p.is_empty()) else {
                return Err(wrong(format!("picture {number} ends too early")));
            };
            clip.frames.push(points);
            rest = &body[size..];
        }
        if clip.frames.is_empty() {
            return Err(wrong("the file is empty".to_owned()));
        }
        Ok(clip)
    }
}

/// Width, height, and what follows the header.
fn header(bytes: &[u8]) -> Option<(u32, u32, &[u8])> {
    let mut lines = bytes.splitn(4, |b| *b == b'\n');
    let mut line = || std::str::from_utf8(lines.next()?).ok();
    (line()? == "P5").then_some(())?;
    let (width, height) = line()?.split_once(' ')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    (line()? == "255" && width > 0 && height > 0).then_some(())?;
    Some((width, height, lines.next()?))
}

/// A picture as it stands in a file.
pub fn picture(width: u32, height: u32, points: &[u8]) -> Vec<u8> {
    [format!("P5\n{width} {height}\n255\n").as_bytes(), points].concat()
}

/// A picture in another size (each point the mean of those it stands for) and with fewer greys.
pub fn scale(points: &[u8], from: (u32, u32), to: (u32, u32), greys: u32) -> Vec<u8> {
    let span = |i: u32, from: u32, to: u32| {
        let (a, b) = (u64::from(i) * u64::from(from), (u64::from(i) + 1) * u64::from(from));
        let (start, end) = (a / u64::from(to), b.div_ceil(u64::from(to)));
        usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
    };
    let mut made = Vec::with_capacity(to.0 as usize * to.1 as usize);
    for y in 0..to.1 {
        for x in 0..to.0 {
            let (rows, columns) = (span(y, from.1, to.1), span(x, from.0, to.0));
            let count = rows.len() * columns.len();
            let sum: usize = rows
                .flat_map(|row| &points[row * from.0 as usize..][columns.clone()])
                .map(|point| usize::from(*point))
                .sum();
            let mean = u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
            made.push(fewer(mean, greys));
        }
    }
    made
}

/// The nearest of so many greys.
fn fewer(point: u8, greys: u32) -> u8 {
    let steps = greys.clamp(2, 256) - 1;
    let nearest = (u32::from(point) * steps + 127) / 255;
    u8::try_from(nearest * 255 / steps).unwrap_or(u8::MAX)
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A clip to play with: a bright bar that wanders over a slope of grey, 128 by 72.
pub fn sample(frames: u32) -> Vec<u8> {
    let (width, height) = (128_u32, 72_u32);
    let mut clip = Vec::new();
    for frame in 0..frames {
        let mut points = Vec::with_capacity((width * height) as usize);
        for y in 0..height {
            for x in 0..width {
                let bar = (x + width - frame * 5 % width) % width < 8;
                points.push(if bar { 255 } else { u8::try_from(x + y).unwrap_or(u8::MAX) });
            }
        }
        clip.extend(picture(width, height, &points));
    }
    clip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_read_as_it_was_written() {
        let bytes = sample(3);
        let clip = Clip::read(&bytes).unwrap();
        assert_eq!((clip.width, clip.height, clip.frames.len()), (128, 72, 3));
        assert_ne!(clip.frames[0], clip.frames[1]);
        assert_eq!(clip.frames.iter().flat_map(|f| picture(128, 72, f)).collect::<Vec<u8>>(), bytes);
    }

    #[test]
    fn what_is_no_clip_is_said_to_be_none() {
        for (bytes, part) in [
            (&b""[..], "empty"),
            (b"P6\n1 1\n255\nx", "picture 1 does not begin"),
            (b"P5\n2 2\n255\nxyz", "too early"),
            (b"P5\n1 1\n255\nxP5\n1 2\n255\nxy", "picture 2 is 1x2"),
            (b"P5\n99999999 99999999\n255\nx", "too early"),
            (b"P5\n0 5\n255\n", "picture 1 does not begin"),
        ] {
            let error = Clip::read(bytes).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn scaling_takes_means_and_the_nearest_grey() {
        let points = [0, 100, 200, 100, 0, 0, 200, 200];
        assert_eq!(scale(&points, (4, 2), (2, 1), 256), [25, 175]);
        assert_eq!(scale(&points, (4, 2), (2, 1), 2), [0, 255]);
        assert_eq!(scale(&points, (4, 2), (4, 2), 256), points);
        assert_eq!(scale(&[7], (1, 1), (3, 2), 256), [7; 6]);
    }
}
