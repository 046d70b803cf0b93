//! A page of a PDF: text in the reader's own Helvetica, lines, and codes drawn as squares. Enough for receipts and
//! statements, without fonts to embed.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

/// A4 in points.
pub(crate) const WIDTH: f32 = 595.0;
pub(crate) const HEIGHT: f32 = 842.0;

const REGULAR: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// How a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// One page being drawn; the origin is at the lower left.
pub(crate) struct Sheet(Content);

impl Sheet {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self(Content::new())
    }

    /// Writes a line that begins at `x`.
    pub(crate) fn text(&mut self, x: f32, y: f32, size: f32, weight: Weight, text: &str) {
        let font = if weight == Weight::Bold { BOLD } else { REGULAR };
        self.0.begin_text();
        self.0.set_font(font, size);
        self.0.next_line(x, y);
        self.0.show(Str(&windows_1252(text)));
        self.0.end_text();
    }

    /// Writes a number that ends at `right`.
    pub(crate) fn number(&mut self, right: f32, y: f32, size: f32, weight: Weight, text: &str) {
        let width: f32 = text.chars().map(advance).sum::<f32>() * size / 1000.0;
        self.text(right - width, y, size, weight, text);
    }

    /// A thin line across the page.
    pub(crate) fn rule(&mut self, from: f32, to: f32, y: f32) {
        self.0.set_line_width(0.5);
        self.0.set_stroke_gray(0.6);
        self.0.move_to(from, y);
        self.0.line_to(to, y);
        self.0.stroke();
    }

    /// Draws a code from its runs of dark modules; `side` points with its quiet zone, lower left corner at `x`, `y`.
    pub(crate) fn code(&mut self, x: f32, y: f32, side: f32, size: usize, runs: &[(usize, usize, usize)]) {
        let module = side / coordinate(size + 8);
        for (column, row, length) in runs {
            let left = x + coordinate(column + 4) * module;
            let bottom = y + side - coordinate(row + 5) * module;
            self.0.rect(left, bottom, coordinate(*length) * module, module);
        }
        self.0.fill_nonzero();
    }
}

/// A small whole number as a coordinate: codes have at most 177 modules.
fn coordinate(value: usize) -> f32 {
    f32::from(u16::try_from(value).unwrap_or(u16::MAX))
}

/// The file. `title` is what a reader's window shows.
pub(crate) fn file(title: &str, sheets: Vec<Sheet>) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let (catalog, tree, regular, bold, info) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
    let refs: Vec<(Ref, Ref)> = (0..i32::try_from(sheets.len()).unwrap_or(i32::MAX))
        .map(|n| (Ref::new(6 + 2 * n), Ref::new(7 + 2 * n)))
        .collect();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("Hostolink"));
    pdf.pages(tree).kids(refs.iter().map(|(page, _)| *page)).count(i32::try_from(refs.len()).unwrap_or(i32::MAX));
    for (sheet, (page_ref, content_ref)) in sheets.into_iter().zip(&refs) {
        let mut page = pdf.page(*page_ref);
        page.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
        page.parent(tree);
        page.contents(*content_ref);
        let mut resources = page.resources();
        resources.fonts().pair(REGULAR, regular).pair(BOLD, bold);
        resources.finish();
        page.finish();
        pdf.stream(*content_ref, &sheet.0.finish());
    }
    for (font, name) in [(regular, Name(b"Helvetica")), (bold, Name(b"Helvetica-Bold"))] {
        pdf.type1_font(font).base_font(name).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    pdf.finish()
}

/// Helvetica's widths of what stands in amounts, in thousandths; letters do not stand in right-aligned columns.
fn advance(letter: char) -> f32 {
    match letter {
        ' ' | '.' | ',' | '\u{a0}' => 278.0,
        '-' => 333.0,
        '+' => 584.0,
        'F' => 611.0,
        _ => 556.0,
    }
}

/// The encoding of the base fonts. What it has not is a question mark.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| match letter {
            '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
            '\u{202f}' | '\u{2009}' => b' ',
            '€' => 0x80,
            '…' => 0x85,
            'Œ' => 0x8c,
            'œ' => 0x9c,
            '‘' => 0x91,
            '’' => 0x92,
            '“' => 0x93,
            '”' => 0x94,
            '•' => 0x95,
            '–' => 0x96,
            '—' => 0x97,
            _ => b'?',
        })
        .collect()
}

/// `1 234 567`, with spaces between thousands.
pub(crate) fn grouped(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if amount < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// At most so many characters, with an ellipsis when something was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        for (amount, text) in
            [(0, "0"), (999, "999"), (1000, "1 000"), (-1_234_567, "-1 234 567"), (100_000, "100 000")]
        {
            assert_eq!(grouped(amount), text);
        }
    }

    #[test]
    fn french_is_written_and_the_rest_does_not_break_it() {
        assert_eq!(windows_1252("Reçu n° 5 – œuf 汉"), b"Re\xe7u n\xb0 5 \x96 \x9cuf ?");
        assert_eq!(cut("Attiéké du midi", 8), "Attiéké…");
    }

    #[test]
    fn a_file_has_its_pages() {
        let mut sheet = Sheet::new();
        sheet.text(50.0, 700.0, 12.0, Weight::Bold, "Bonjour (tout le monde)");
        sheet.number(500.0, 700.0, 12.0, Weight::Regular, "1 500");
        let bytes = file("Essai", vec![sheet, Sheet::new()]);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.") && text.trim_end().ends_with("%%EOF"));
        assert!(text.contains("/Count 2") && text.contains("Bonjour"));
    }
}
