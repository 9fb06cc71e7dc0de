// Text of one header value or URI, read by every grammar.
#include "fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  baton::fuzz::check_all_grammars(text);
  const auto uri = baton::sip::Uri::parse(text);
  if (uri) BATON_ASSERT(uri->equivalent(*uri));
  return 0;
}
