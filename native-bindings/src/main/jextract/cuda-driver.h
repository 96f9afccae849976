/* What jextract reads of the driver: cuda.h, and one function under its name in drivers before 12.8, which newer ones have too. */
#include "cuda.h"
#undef cuEventElapsedTime
CUresult cuEventElapsedTime(float *pMilliseconds, CUevent hStart, CUevent hEnd);
