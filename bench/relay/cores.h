// The relay on the first core this process may use, the parties on the last: they do not take its time. With
// one core alone they have to.
#pragma once

namespace baton::bench {

enum class Core { first, last };

// The calling thread, and what it starts from now on. Called for the first time before anything else has
// limited the process.
void run_on(Core which);

}  // namespace baton::bench
