package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.CardChoices;
import dev.vauban.natives.cuda.CublasLt;
import dev.vauban.natives.cuda.CudaContext;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.natives.cuda.Gemms;
import dev.vauban.natives.cuda.KernelCache;
import dev.vauban.natives.cuda.Nvrtc;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** An NVIDIA card: fused kernels compiled for it, whole programs replayed as one graph. */
public final class CudaDevice implements Device {
  private static final System.Logger LOG = System.getLogger(CudaDevice.class.getName());

  /**
   * Products and sums are rounded one by one, as everywhere in Vauban: an array that two kernels
   * compute anew must be the same in both (a maximum, and the elements equal to it).
   */
  static final List<String> OPTIONS = List.of("--std=c++17", "--fmad=false");

  private static final int TENSOR_CORES =
      8; // compute capability from which mma takes bf16 and tf32

  private final OpenCard card;
  private final String library;

  private CudaDevice(OpenCard card, String library) {
    this.card = card;
    this.library = library;
  }

  /**
   * The card of this number, with the libraries of this machine.
   *
   * @throws NativeException if the driver or NVRTC is missing
   * @throws IllegalArgumentException if there is no such card
   */
  public static CudaDevice open(int ordinal) {
    CudaDriver driver = CudaDriver.load();
    Nvrtc nvrtc = Nvrtc.load();
    Optional<CublasLt> products;
    try {
      products = Optional.of(CublasLt.load());
    } catch (NativeException e) {
      LOG.log(System.Logger.Level.INFO, "matrix products by own kernels: {0}", e.getMessage());
      products = Optional.empty();
    }
    Path folder = KernelCache.userFolder();
    return open(driver, nvrtc, products, folder, folder, ordinal, Choices.Settings.read());
  }

  /**
   * With given libraries: tests run on a card that is the processor.
   *
   * @param kernels where compiled kernels are kept
   * @param measured where it is kept what was quickest
   */
  static CudaDevice open(
      CudaDriver driver,
      Nvrtc nvrtc,
      Optional<CublasLt> library,
      Path kernels,
      Path measured,
      int ordinal,
      Choices.Settings settings) {
    CudaContext context = driver.open(ordinal);
    try {
      String architecture = context.card().architecture();
      KernelCache compiler = new KernelCache(kernels, nvrtc);
      Optional<Gemms> products = library.map(l -> l.open(context, measured.resolve("products")));
      Choices choices =
          new Choices(
              settings,
              products.isPresent(),
              context.card().major() >= TENSOR_CORES,
              Ways.IMPLICIT);
      CardChoices ways =
          new CardChoices(
              measured.resolve("convolutions"),
              context.card().name()
                  + ", "
                  + nvrtc.version()
                  + library.map(l -> ", cuBLASLt " + l.version()).orElse(""));
      return new CudaDevice(
          new OpenCard(
              context,
              (source, name) -> compiler.compile(source, name, architecture, OPTIONS),
              products,
              choices,
              ways),
          library.map(l -> "cuBLASLt " + l.version()).orElse("own matrix products"));
    } catch (RuntimeException | Error e) {
      context.close();
      throw e;
    }
  }

  /** The card and what is loaded on it. */
  OpenCard card() {
    return card;
  }

  @Override
  public String name() {
    return "cuda:" + card.context().card().ordinal();
  }

  @Override
  public String description() {
    CudaDriver.Card c = card.context().card();
    return "%s (%s), %,d MiB, driver for CUDA %d.%d, %s%s"
        .formatted(
            c.name(),
            c.architecture(),
            c.memory() >> 20,
            card.context().driver().version() / 1000,
            card.context().driver().version() % 1000 / 10,
            library,
            card.choices().settings().precision() == Choices.Precision.TF32
                ? ", products in TF32"
                : "");
  }

  @Override
  public Plan compile(Program program) {
    synchronized (card) {
      card.check();
      return new CudaPlan(program, card);
    }
  }

  @Override
  public void close() {
    card.close();
  }
}
