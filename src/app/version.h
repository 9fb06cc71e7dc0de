#pragma once

namespace baton::app {

inline constexpr char version[] = "0.1.0";  // CMakeLists.txt says the same; a test compares them

}  // namespace baton::app
