//! Brands and links in texts: which brands an answer names, and which pages it cites. Pure; no I/O.
//!
//! # What counts as a mention
//!
//! A mention is one of a brand's spellings, its name or an alias of at least two characters, where it stands as a word
//! of its own in what a reader of the text sees.
//!
//! **Which spelling.** The leftmost wins, and at one place the longest that stands as a word: `Acme Pro` before `Acme`,
//! but `Acme` in `Acme Products`. An excluded phrase takes part like a spelling; where it wins, nothing that it covers
//! is a mention. A spelling of two brands belongs to the one whose key comes first.
//!
//! **Letter case** does not count, unless `exact` lists a form of the spelling: then only the listed forms count.
//! Accents count (`Nestle` is not `Nestlé`; add it as an alias), however they are encoded.
//!
//! **Words.** The neighbours of a mention are no letters, digits, `_` or combining marks. So `Acmes` is another word and
//! no mention, unless it is an alias; `Acme's`, `Acme-like` and `#Acme` are mentions.
//!
//! - Han, Hiragana, Thai, Lao and Khmer are written without spaces: a name may begin and end anywhere in them, and
//!   any other script beside them.
//! - Katakana: a name may begin and end where the script changes, not between two katakana.
//! - Korean: one or two common particles (은 는 이 가 을 를 의 에 와 과 도 로 으로 에서 에게 만 보다 처럼 까지 부터) may follow a
//!   name; another syllable makes it another word.
//!
//! **Typography.** The apostrophes ' ’ ‘ ʼ are one, as are the hyphens - ‐ ‑ –, and wide and ordinary Latin letters. All
//! kinds of spaces, several of them, and a line break inside a paragraph are as one space. Characters without width,
//! soft hyphens too, are not there.
//!
//! **Prose only.** Nothing counts inside URLs, e-mail addresses, `@handles`, bare domains such as `docs.acme.com` (unless
//! the spelling is the whole of it, as with `Booking.com`), targets of links, HTML tags, descriptions of images, and code
//! blocks. The texts of links and inline code count. Emphasis changes nothing: `**Ac**me` is `Acme`.
//!
//! # What counts as a citation
//!
//! A link to a page on the web (`http`, `https` or `www.`): Markdown links of all kinds, footnotes, HTML links, and URLs
//! that are written out, except in code blocks. Images are none. Citations are in the order in which a reader meets them:
//! a footnote where its mark stands, a reference link where it is used, a definition that nobody uses at its own
//! place. A page counts once, however often and with whatever tracking parameters it is linked; the URL is kept
//! as it was first given. A citation is a brand's whose domain is its host or above it; the longest domain wins.
//!
//! # What it cannot know
//!
//! Meaning. `Apple trees` names no brand, and counts until the phrase is excluded or the spelling made exact. Inflected
//! names (`Яндексом`), prefixes (Arabic `وسامسونج`, Hebrew `בגוגל`) and plurals count only as aliases.

mod address;
mod boundary;
mod detector;
mod fold;
mod group_key;
mod html;
mod links;
mod mentions;
mod offsets;
mod prose;
mod sentence;
mod words;

pub use detector::{Detector, Mention};
pub use group_key::group_key;
pub use links::{Link, cited_urls, links};
pub use sentence::{sentence_around, sentences};
pub use words::Words;

#[cfg(test)]
mod tests;
