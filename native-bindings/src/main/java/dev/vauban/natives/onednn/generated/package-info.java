/** oneDNN's C interface as jextract wrote it; see {@code src/main/jextract/regenerate.sh}. */
package dev.vauban.natives.onednn.generated;
