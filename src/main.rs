//! The program: hands the command line to the library and its status to the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    visibility_mcp::cli::main()
}
