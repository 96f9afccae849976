/**
 * The C interfaces of the CUDA libraries as jextract wrote them; see {@code
 * src/main/jextract/regenerate-cuda.sh}.
 */
package dev.vauban.natives.cuda.generated;
