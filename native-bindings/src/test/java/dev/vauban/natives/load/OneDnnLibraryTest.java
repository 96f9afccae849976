package dev.vauban.natives.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.NativeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever file is named, the answer is a checked library or a sentence. */
class OneDnnLibraryTest {
  private static final String REMEDY =
      "; set vauban.onednn (or the environment variable VAUBAN_ONEDNN) to bundled, to system, to"
          + " the path of a libdnnl.so.3, or to off";

  @TempDir Path folder;

  @BeforeEach
  void needsTheBundledPlatform() {
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "SKIPPED, the class path bundles oneDNN for linux-x86_64 only");
  }

  @Test
  void aMissingFile() {
    assertRefused("/nowhere/libdnnl.so.3", "there is no such file");
  }

  @Test
  void aFolder() {
    assertRefused(folder.toString(), "it is a folder; name the file in it");
  }

  @Test
  void aFileThatIsNotALibrary() throws IOException {
    Path text =
        Files.writeString(folder.resolve("libdnnl.so.3"), "not a library at all\n".repeat(9));
    assertRefused(text.toString(), "it is not a shared library (it does not start as an ELF file)");
    Path empty = Files.createFile(folder.resolve("empty.so"));
    assertRefused(empty.toString(), "the file is empty");
    Path program = Path.of(System.getProperty("java.home"), "lib", "modules");
    assertRefused(program.toString(), "it is not a shared library");
  }

  @Test
  void aLibraryCutOffAnywhere() throws IOException {
    Path whole = BundledLibrary.unpack(BundledLibrary.userCache()).resolveSibling("libgomp.so.1");
    byte[] bytes = Files.readAllBytes(whole);
    Path part = folder.resolve("part.so");
    for (int length : new int[] {10, 64, 100, 4096, bytes.length / 2, bytes.length - 1}) {
      Files.write(part, Arrays.copyOf(bytes, length));
      assertRefused(part.toString(), length < 64 ? "it is not a shared" : "it is cut off: ");
    }
  }

  @Test
  void aLibraryOfAnotherProcessorOrKind() throws IOException {
    Path whole = BundledLibrary.unpack(BundledLibrary.userCache()).resolveSibling("libgomp.so.1");
    byte[] bytes = Files.readAllBytes(whole);
    Path other = folder.resolve("other.so");
    byte[] changed = bytes.clone();
    changed[18] = 40;
    Files.write(other, changed);
    assertRefused(other.toString(), "it is for another kind of processor than this JVM's");
    changed = bytes.clone();
    changed[16] = 1;
    Files.write(other, changed);
    assertRefused(other.toString(), "it is an ELF file, but not a shared library");
  }

  @Test
  void aLibraryWhoseOwnLibrariesAreMissing() throws Exception {
    Path needed = stub("needed", 3, 1, "");
    Path needing = folder.resolve("libneeding.so");
    compile(stubSource("needing"), needing, "-L" + folder, "-lneeded");
    Files.delete(needed);
    assertRefused(needing.toString(), "the dynamic linker says: libneeded.so: cannot open");
  }

  @Test
  void anotherLibrary() {
    Path gomp = BundledLibrary.unpack(BundledLibrary.userCache()).resolveSibling("libgomp.so.1");
    assertRefused(gomp.toString(), "it is a library, but not oneDNN (it has no dnnl_version)");
  }

  @Test
  void anotherVersion() throws Exception {
    assertRefused(
        stub("old", 2, 2, "").toString(), "it is oneDNN 2.6.3, and Vauban needs oneDNN 3");
  }

  @Test
  void anotherThreadLibrary() throws Exception {
    assertRefused(
        stub("tbb", 3, 4, "").toString(),
        "it is oneDNN 3.6.3 built for another thread library (runtime 4), whose threads Vauban"
            + " cannot limit; it needs an OpenMP or sequential build");
  }

  @Test
  void aLibraryWithoutItsSymbols() throws Exception {
    Path library = stub("bare", 3, 1, "int dnnl_engine_create(void) { return 0; }");
    assertThatThrownBy(() -> OneDnnLibrary.open(library.toString()))
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith(
            "oneDNN cannot be loaded from " + library + ": it is oneDNN 3.6.3 without [")
        .hasMessageContaining("dnnl_primitive_execute")
        .hasMessageNotContaining("dnnl_engine_create")
        // A sequential build has no OpenMP, and needs none.
        .hasMessageNotContaining("omp_");
  }

  @Test
  void theBundledLibraryIsComplete() {
    OneDnnLibrary library = OneDnnLibrary.open("bundled");
    assertThat(library.version()).isEqualTo("3.11.0");
    assertThat(library.threading()).isEqualTo(OneDnnLibrary.Threading.OPENMP);
    assertThat(Path.of(library.path())).isRegularFile();
    assertThat(library.isa()).matches("sse41|avx[0-9a-z_]*");
  }

  @Test
  void theSystemLibraryIsFoundOrItsPackageNamed() {
    Optional<OneDnnLibrary> found;
    try {
      found = Optional.of(OneDnnLibrary.open("system"));
    } catch (NativeException e) {
      found = Optional.empty();
      assertThat(e).hasMessageContaining("libdnnl").hasMessageContaining("vauban.onednn");
      assertThat(e.remedy()).isPresent();
    }
    found.ifPresent(library -> assertThat(library.version()).startsWith("3."));
  }

  private static void assertRefused(String choice, String why) {
    assertThatThrownBy(() -> OneDnnLibrary.open(choice))
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith("oneDNN cannot be loaded from " + choice + ": " + why)
        .hasMessageEndingWith(REMEDY);
  }

  /** A library that claims to be oneDNN {@code major}.6.3; needs a C compiler. */
  private Path stub(String name, int major, int runtime, String more) throws Exception {
    Assumptions.assumeTrue(hasCompiler(), "SKIPPED, no C compiler (cc) to make a false library");
    Path source = folder.resolve(name + ".c");
    Files.writeString(
        source,
        """
        struct version { int major, minor, patch; const char *hash; unsigned cpu, gpu; };
        static const struct version v = {%d, 6, 3, "none", %d, 0};
        const struct version *dnnl_version(void) { return &v; }
        %s
        """
            .formatted(major, runtime, more));
    Path library = folder.resolve("lib" + name + ".so");
    compile(source, library);
    return library;
  }

  private Path stubSource(String name) throws IOException {
    return Files.writeString(
        folder.resolve(name + ".c"),
        "const void *dnnl_version(void);\nconst void *call(void) { return dnnl_version(); }\n");
  }

  private static void compile(Path source, Path library, String... more) throws Exception {
    List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-o"));
    command.addAll(List.of(library.toString(), source.toString()));
    command.addAll(List.of(more));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private static boolean hasCompiler() {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(entry -> Files.isExecutable(Path.of(entry, "cc")));
  }
}
