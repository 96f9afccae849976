/* What jextract reads: oneDNN's C interface, its status texts, and the two OpenMP calls that pin a thread to one. */
#include "oneapi/dnnl/dnnl.h"
#include "oneapi/dnnl/dnnl_debug.h"

/* From omp.h, which belongs to the compiler and not to oneDNN's headers. */
void omp_set_num_threads(int num_threads);
int omp_get_max_threads(void);
