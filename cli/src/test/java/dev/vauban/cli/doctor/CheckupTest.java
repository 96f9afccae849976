package dev.vauban.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.doctor.Check.State;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Json;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.natives.cuda.CudaReport;
import dev.vauban.natives.onednn.OneDnn;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CheckupTest {
  @Test
  void thisMachineIsFitToRunItsTests() {
    Checkup checkup = Checkup.ofThisMachine();
    assertThat(checkup.checks())
        .extracting(Check::name)
        .containsExactly("JDK", "Vector API", "oneDNN", "CUDA", "Processor", "Memory", "Cache");
    assertThat(checkup.checks()).noneMatch(check -> check.state() == State.MISSING);
    String text = checkup.format(Console.plain(System.out, System.err));
    assertThat(text).contains(Runtime.version().toString(), "bits", "heap up to");
  }

  @Test
  void programsGetTheSameFacts() {
    Map<?, ?> json = Json.read(Json.line(Checkup.ofThisMachine().json()), Map.class);
    assertThat(((Map<?, ?>) json.get("jdk")).get("feature")).isEqualTo(Runtime.version().feature());
    assertThat((Integer) ((Map<?, ?>) json.get("vector_api")).get("bits")).isIn(64, 128, 256, 512);
    assertThat(((Map<?, ?>) json.get("onednn")).get("available")).isNotNull();
    assertThat(((Map<?, ?>) json.get("cuda")).get("available")).isNotNull();
    assertThat(((Number) ((Map<?, ?>) json.get("memory")).get("heap_bytes")).longValue())
        .isEqualTo(Runtime.getRuntime().maxMemory());
  }

  @Test
  void anOldJdkIsMissing() {
    Check check = JvmChecks.jdk(Runtime.Version.parse("17.0.2"));
    assertThat(check.state()).isEqualTo(State.MISSING);
    assertThat(check.remedy()).contains("21");
    assertThat(JvmChecks.jdk(Runtime.Version.parse("21")).state()).isEqualTo(State.OK);
  }

  @Test
  void oneDnnIsShownWithFileVersionAndInstructions() {
    Check check =
        LibraryChecks.oneDnn(
            new OneDnn.Status(
                OneDnn.State.READY, "bundled", "/c/libdnnl.so.3", "3.11.0", "AVX-512", 1, "", ""));
    assertThat(check.state()).isEqualTo(State.OK);
    assertThat(check.finding())
        .isEqualTo("3.11.0, AVX-512, 1 thread per primitive, /c/libdnnl.so.3 (bundled)");
    assertThat(check.facts())
        .containsEntry("path", "/c/libdnnl.so.3")
        .containsEntry("version", "3.11.0")
        .containsEntry("isa", "AVX-512");
  }

  @Test
  void withoutOneDnnTheReasonAndTheRemedyAreShown() {
    Check check =
        LibraryChecks.oneDnn(
            OneDnn.Status.without(OneDnn.State.ABSENT, "bundled", "/c is full", "make room"));
    assertThat(check.state()).isEqualTo(State.OPTIONAL);
    String text = new Checkup(List.of(check)).format(Console.plain(System.out, System.err));
    assertThat(text)
        .contains("not used: /c is full; pure Vector API kernels run instead", "→ make room");
    assertThat(new Checkup(List.of(check)).json().get("onednn").toString())
        .contains("available=false", "reason=not used: /c is full", "remedy=make room");
    OneDnn.Status off = OneDnn.Status.without(OneDnn.State.OFF, "off", "it is off", "");
    assertThat(LibraryChecks.oneDnn(off).state()).isEqualTo(State.OPTIONAL);
  }

  @Test
  void aLibraryThatWasAskedForAndFailsIsMissing() {
    Check check =
        LibraryChecks.oneDnn(
            OneDnn.Status.without(
                OneDnn.State.REFUSED, "/x", "/x is no library", "give a library"));
    assertThat(check.state()).isEqualTo(State.MISSING);
    assertThat(check.finding()).isEqualTo("/x is no library; until then no command can compute");
    assertThat(check.remedy()).isEqualTo("give a library");
  }

  private static CudaReport.Library library(String name, String problem) {
    return new CudaReport.Library(
        name,
        problem.isEmpty() ? "/lib/" + name : "",
        problem.isEmpty() ? "13.0" : "",
        problem,
        problem.isEmpty() ? "" : "install " + name);
  }

  private static CudaReport cuda(List<CudaReport.CardState> cards, String... problems) {
    return new CudaReport(
        cards,
        List.of(
            library("driver", problems[0]),
            library("NVRTC", problems[1]),
            library("cuBLASLt", problems[2]),
            library("runtime", problems[3])));
  }

  @Test
  void cudaShowsCardsAndLibrariesOrWhyNot() {
    var card = new CudaDriver.Card(0, "H200", 9, 0, 140L << 30, 132);
    var free = List.of(new CudaReport.CardState(card, 139L << 30, ""));
    Check ok = LibraryChecks.cuda(cuda(free, "", "", "", "no runtime"));
    assertThat(ok.state()).isEqualTo(State.OK);
    assertThat(ok.finding())
        .isEqualTo(
            "cuda:0 H200, compute capability 9.0, 139.0 GiB free of 140.0 GiB; driver 13.0"
                + " (/lib/driver); NVRTC 13.0 (/lib/NVRTC); cuBLASLt 13.0 (/lib/cuBLASLt)");
    assertThat(ok.facts()).containsEntry("available", true);

    Check none = LibraryChecks.cuda(cuda(List.of(), "there is no driver", "", "x", "x"));
    assertThat(none.state()).isEqualTo(State.OPTIONAL);
    assertThat(none.finding())
        .isEqualTo("not used: there is no driver; found: NVRTC 13.0 (/lib/NVRTC)");
    assertThat(none.remedy()).isEqualTo("install driver");

    assertThat(LibraryChecks.cuda(cuda(List.of(), "", "no NVRTC", "", "")).finding())
        .startsWith("not used: the driver sees no card; found: driver");
    assertThat(LibraryChecks.cuda(cuda(free, "", "no NVRTC", "", "")).finding())
        .startsWith("not used: no NVRTC; found: cuda:0 H200");
    var shut = List.of(new CudaReport.CardState(card, 0, "cannot be opened: busy"));
    assertThat(LibraryChecks.cuda(cuda(shut, "", "", "", "")).finding())
        .startsWith("not used: no card can be opened; found: cuda:0 H200, compute capability 9.0,")
        .contains("cannot be opened: busy");
  }

  @Test
  void theCacheIsWhereTheLoaderSays() {
    OneDnn.Status bundled =
        new OneDnn.Status(
            OneDnn.State.READY,
            "bundled",
            "/c/vauban/onednn-3/libdnnl.so.3",
            "3",
            "AVX-512",
            1,
            "",
            "");
    assertThat(FolderChecks.cache(bundled).finding()).isEqualTo("/c/vauban");
    assertThat(FolderChecks.cache(bundled).facts()).containsEntry("path", "/c/vauban");
    OneDnn.Status full =
        OneDnn.Status.without(
            OneDnn.State.ABSENT, "bundled", "no room in /c", "set XDG_CACHE_HOME");
    assertThat(FolderChecks.cache(full).state()).isEqualTo(State.OPTIONAL);
    assertThat(FolderChecks.cache(full).remedy()).isEqualTo("set XDG_CACHE_HOME");
    OneDnn.Status off = OneDnn.Status.without(OneDnn.State.OFF, "off", "it is off", "");
    assertThat(FolderChecks.cache(off).state()).isEqualTo(State.OK);
    assertThat(FolderChecks.cache(off).finding()).isEqualTo("not needed: oneDNN is off");
  }
}
