// The subcommands. Each adds itself to the command line and leaves the process's exit code in `exit_code`
// when it was the one that was asked for: 0 done, 1 it did not work, 2 the command line is wrong (serve has
// more, serve.h).
#pragma once

namespace CLI {
class App;
}

namespace baton::app {

void add_serve(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_calls(CLI::App& app, int& exit_code);
void add_transfers(CLI::App& app, int& exit_code);
void add_recordings(CLI::App& app, int& exit_code);
void add_trace(CLI::App& app, int& exit_code);

}  // namespace baton::app
