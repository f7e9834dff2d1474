#include "support/KernelSpec.h"
