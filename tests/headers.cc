// The target that headers.h is compiled for needs a source.
#include "headers.h"
