package dev.vauban.natives.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.generated.CublasLtCalls;
import dev.vauban.natives.load.CString;
import dev.vauban.natives.load.CudaLibrary;
import dev.vauban.natives.load.CudaLibrary.Candidate;
import dev.vauban.natives.load.CudaLibrary.Kind;
import dev.vauban.natives.load.Symbols;
import java.nio.file.Path;

/** NVIDIA's matrix products. */
public final class CublasLt {
  /** This machine's, loaded on first use, once. */
  private static final class Shared {
    static final Loading.Found<CublasLt> FOUND = Loading.find(Kind.CUBLAS_LT, CublasLt::fitting);
  }

  private final Symbols symbols;
  private final String path;
  private final long version;

  private CublasLt(CudaLibrary library) {
    this.symbols = library.symbols();
    this.path = library.path();
    this.version = CublasLtCalls.cublasLtGetVersion(symbols);
    Loading.checkNew("cuBLASLt " + path, version(), major());
  }

  /** One that this machine's driver runs; any, without a driver. */
  private static CublasLt fitting(CudaLibrary library) {
    CublasLt lt = new CublasLt(library);
    CudaDriver driver;
    try {
      driver = CudaDriver.load();
    } catch (NativeException e) {
      return lt;
    }
    Loading.checkFits("cuBLASLt " + lt.path, lt.version(), lt.major(), driver);
    return lt;
  }

  /**
   * The library of this machine, loaded once.
   *
   * @throws NativeException if there is none, or it is too old, or too new for the driver
   */
  public static CublasLt load() {
    return Shared.FOUND.orThrow();
  }

  /**
   * The library in this file; tests give their own.
   *
   * @throws NativeException if it is not cuBLASLt, or too old
   */
  public static CublasLt load(Path library) {
    return new CublasLt(Candidate.of(Kind.CUBLAS_LT, library).open().orElseThrow());
  }

  /** The file it was loaded from. */
  public String path() {
    return path;
  }

  /** The library writes 13.1.1 as 130101. */
  private int major() {
    return Math.toIntExact(version / 10_000);
  }

  /** {@code 13.1.1}. */
  public String version() {
    return major() + "." + version / 100 % 100 + "." + version % 100;
  }

  /**
   * Products on a card.
   *
   * @param choices a folder where the fastest algorithms are remembered, or null: for this object's
   *     life only
   */
  public Gemms open(CudaContext context, Path choices) {
    return new Gemms(this, context, choices);
  }

  Symbols symbols() {
    return symbols;
  }

  /** Turns a status other than success into an exception. */
  void check(int code, String function, Object subject) {
    if (code != CublasLtCalls.CUBLAS_STATUS_SUCCESS()) {
      String error = CString.read(CublasLtCalls.cublasLtGetStatusName(symbols, code));
      throw new CudaException(
          function,
          code,
          error,
          code == CublasLtCalls.CUBLAS_STATUS_ALLOC_FAILED(),
          "%s returned %s (%d: %s) for %s; cuBLASLt %s, %s"
              .formatted(
                  function,
                  error,
                  code,
                  CString.read(CublasLtCalls.cublasLtGetStatusString(symbols, code)),
                  subject,
                  version(),
                  path));
    }
  }
}
