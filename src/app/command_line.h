#pragma once

namespace baton::app {

// The program: understands the command line, runs the command, returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace baton::app
