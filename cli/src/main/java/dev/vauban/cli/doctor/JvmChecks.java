package dev.vauban.cli.doctor;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The JVM: its version, the Vector API, processors and memory. */
final class JvmChecks {
  private static final int OLDEST_JDK = 21;
  private static final String MODULE = "jdk.incubator.vector";

  private JvmChecks() {}

  static Check jdk(Runtime.Version version) {
    String vendor = System.getProperty("java.vendor");
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("version", version.toString());
    facts.put("feature", version.feature());
    facts.put("vendor", vendor);
    facts.put("home", System.getProperty("java.home"));
    String finding = version + ", " + vendor + ", " + System.getProperty("java.home");
    return version.feature() >= OLDEST_JDK
        ? Check.ok("JDK", finding, facts)
        : Check.missing("JDK", finding, "install JDK 21 or newer, e.g. 25", facts);
  }

  /**
   * The width of the Vector API's preferred shape. Reached by reflection, so that this command runs
   * and says what is missing on a JVM without the module.
   */
  static Check vectorApi() {
    Map<String, Object> facts = new LinkedHashMap<>();
    try {
      Class<?> floats = Class.forName(MODULE + ".FloatVector");
      Object species = floats.getField("SPECIES_PREFERRED").get(null);
      int bits =
          (int) Class.forName(MODULE + ".VectorSpecies").getMethod("vectorBitSize").invoke(species);
      facts.put("bits", bits);
      facts.put("lanes", bits / Float.SIZE);
      return Check.ok("Vector API", bits + " bits, " + bits / Float.SIZE + " floats", facts);
    } catch (ReflectiveOperationException | LinkageError e) {
      boolean inImage = java.lang.module.ModuleFinder.ofSystem().find(MODULE).isPresent();
      return Check.missing(
          "Vector API",
          "the module " + MODULE + (inImage ? " is not enabled" : " is not part of this JDK"),
          inImage
              ? "start the JVM with --add-modules " + MODULE + " (the vauban launcher does)"
              : "use a JDK 21 or newer that contains it",
          facts);
    }
  }

  static Check processor() {
    int cores = Runtime.getRuntime().availableProcessors();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("cores", cores);
    facts.put("arch", System.getProperty("os.arch"));
    facts.put("os", System.getProperty("os.name"));
    return Check.ok(
        "Processor",
        cores
            + (cores == 1 ? " core, " : " cores, ")
            + System.getProperty("os.arch")
            + ", "
            + System.getProperty("os.name")
            + " "
            + System.getProperty("os.version"),
        facts);
  }

  static Check memory() {
    long heap = Runtime.getRuntime().maxMemory();
    long machine = machineMemory();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("heap_bytes", heap);
    String finding = "heap up to " + gigabytes(heap);
    if (machine > 0) {
      facts.put("machine_bytes", machine);
      finding += "; machine " + gigabytes(machine) + " (tensors live outside the heap)";
    }
    return Check.ok("Memory", finding, facts);
  }

  /** The machine's or container's memory in bytes; 0 where this JVM cannot tell. */
  private static long machineMemory() {
    try {
      Object bean =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getOperatingSystemMXBean")
              .invoke(null);
      return (long)
          Class.forName("com.sun.management.OperatingSystemMXBean")
              .getMethod("getTotalMemorySize")
              .invoke(bean);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return 0;
    }
  }

  static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
