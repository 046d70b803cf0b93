//! A code as a picture: SVG for screens, PNG for printers and messages. Error correction M, a quiet zone of four modules.

use fast_qr::{ECL, QRBuilder, QRCode};
use kernel::Failure;

/// Light modules around the code, as the standard asks.
const QUIET: usize = 4;
/// Dots a module in PNG.
const SCALE: usize = 8;

/// The matrix of a text.
fn matrix(text: &str) -> Result<QRCode, Failure> {
    QRBuilder::new(text).ecl(ECL::M).build().map_err(Failure::internal)
}

/// A run of dark modules: column, row, length.
pub type Run = (usize, usize, usize);

/// The size of a code in modules, and its runs row by row.
pub fn runs(text: &str) -> Result<(usize, Vec<Run>), Failure> {
    let code = matrix(text)?;
    let mut runs = Vec::new();
    for row in 0..code.size {
        let mut start = None;
        for (column, module) in code[row].iter().enumerate().take(code.size) {
            match (module.value(), start) {
                (true, None) => start = Some(column),
                (false, Some(from)) => {
                    runs.push((from, row, column - from));
                    start = None;
                }
                (true, Some(_)) | (false, None) => {}
            }
        }
        if let Some(from) = start {
            runs.push((from, row, code.size - from));
        }
    }
    Ok((code.size, runs))
}

/// A drawing whose every module is a square of one unit.
pub fn svg(text: &str) -> Result<String, Failure> {
    let (size, runs) = runs(text)?;
    let side = size + 2 * QUIET;
    let path: String =
        runs.iter().map(|(x, y, length)| format!("M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET)).collect();
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{path}\"/></svg>"
    ))
}

/// One bit a dot: a few kilobytes.
pub fn png(text: &str) -> Result<Vec<u8>, Failure> {
    let (size, runs) = runs(text)?;
    let side = (size + 2 * QUIET) * SCALE;
    let row_bytes = side.div_ceil(8);
    // White is 1; a run of dark modules clears its dots in SCALE rows.
    let mut dots = vec![0xFF_u8; row_bytes * side];
    for (x, y, length) in runs {
        for row in (y + QUIET) * SCALE..(y + QUIET + 1) * SCALE {
            for dot in (x + QUIET) * SCALE..(x + QUIET + length) * SCALE {
                if let Some(byte) = dots.get_mut(row * row_bytes + dot / 8) {
                    *byte &= !(0x80 >> (dot % 8));
                }
            }
        }
    }
    let side = u32::try_from(side).map_err(Failure::internal)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&dots).and_then(|()| writer.finish()))
        .map_err(Failure::internal)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_shows_the_matrix() {
        let text = "00020101021126";
        let code = matrix(text).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png(text).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut dots = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut dots).unwrap();
        let side = info.width as usize;
        assert_eq!(side, (code.size + 2 * QUIET) * SCALE);
        for row in 0..code.size {
            for column in 0..code.size {
                let (x, y) = ((column + QUIET) * SCALE + 3, (row + QUIET) * SCALE + 3);
                assert_eq!(dots[y * side + x] == 0, code[row][column].value(), "{column},{row}");
            }
        }
        assert!(dots[..side * QUIET * SCALE].iter().all(|dot| *dot == 255), "the quiet zone is light");
        let drawing = svg(text).unwrap();
        let dark: usize = runs(text).unwrap().1.iter().map(|run| run.2).sum();
        let expected =
            (0..code.size).map(|row| code[row].iter().filter(|module| module.value()).count()).sum::<usize>();
        assert_eq!(dark, expected);
        assert!(drawing.starts_with("<svg") && drawing.ends_with("</svg>"));
    }
}
