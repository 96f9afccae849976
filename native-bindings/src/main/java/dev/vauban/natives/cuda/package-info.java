/**
 * NVIDIA cards through thin typed handles: the CUDA driver, NVRTC and cuBLASLt.
 *
 * <p>Nothing is bundled: the libraries are looked for where drivers, toolkits and pip's packages
 * put them ({@code docs/native-libraries.md}). A library that is missing or too old is a {@link
 * dev.vauban.natives.NativeException}; a call that fails is a {@link
 * dev.vauban.natives.cuda.CudaException} with CUDA's own name and text.
 */
package dev.vauban.natives.cuda;
