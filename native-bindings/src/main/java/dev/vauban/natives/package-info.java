/** Finding, loading and calling native libraries: oneDNN on the CPU. */
package dev.vauban.natives;
