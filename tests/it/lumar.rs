//! Lumar from its API to the tools' answers: a second upstream, to which all holds that holds for the first.

mod both;
mod faults;
mod fields;
mod hostile;
mod requests;
mod whole;
