package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.oracle.BrightBand;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code vauban query-attack} with models, services and programs behind it. */
class QueryAttackTest {
  private static final int CLASSES = Bands.CLASSES;

  @TempDir Path folder;
  private final Cli cli = Cli.learning();

  private String bands() throws Exception {
    return Bands.write(folder.resolve("bands"), 10);
  }

  private void ok(String... arguments) {
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.OK);
  }

  private static HttpServer serve(HttpHandler handler) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", handler);
    server.start();
    return server;
  }

  private static void respond(HttpExchange exchange, int status, String text) throws IOException {
    byte[] answer = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  @Test
  void aRunIsAttackedAsAdaptedToItsEpisodes() {
    String run = folder.resolve("run").toString();
    ok(
        ("train --filters 4 --ways 3 --queries 2 --inner-steps 1 --meta-batch 3 --iterations 4"
                + " --validate-every 0 --out "
                + run)
            .split(" "));
    String out = folder.resolve("out").toString();
    String[] attack = {
      "query-attack",
      run,
      "--attack",
      "square,hop-skip-jump",
      "--eps",
      "64/255",
      "--budget",
      "150",
      "--images",
      "8",
      "--json",
      "--out",
      out
    };
    ok(attack);
    Map<?, ?> json = cli.json();
    List<?> rows = (List<?>) json.get("rows");
    assertThat(rows).hasSize(2);
    for (Object each : rows) {
      Map<?, ?> row = (Map<?, ?>) each;
      assertThat(row.get("images")).isEqualTo(8); // of two episodes of six queries
      assertThat((int) row.get("attacked")).isPositive();
      assertThat((int) row.get("sent")).isBetween(8, 8 + 8 * 150);
      List<?> curve = (List<?>) row.get("curve");
      assertThat(((Map<?, ?>) curve.getLast()).get("value")).isEqualTo(row.get("success_rate"));
    }
    assertThat(((Map<?, ?>) rows.get(0)).get("distances")).isNull();
    assertThat((List<?>) ((Map<?, ?>) rows.get(1)).get("distances")).isNotEmpty();
    assertThat(folder.resolve("out/report.html"))
        .content()
        .contains("Images fooled against queries", "Distance against queries", "hop-skip-jump");
    if ((int) ((Map<?, ?>) rows.get(0)).get("successes") > 0) {
      assertThat(folder.resolve("out/images/01-adversarial.png")).exists();
    }
    ok(attack);
    assertThat(cli.json()).isEqualTo(json);
  }

  @Test
  void aClassifierWithBatchNormsIsAttackedAsItIs() throws Exception {
    Model net = Models.named("conv4-strided-4", Shape.of(Bands.HEIGHT, Bands.WIDTH, 1), CLASSES);
    String data = bands();
    Path file = folder.resolve("net.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(
          file, Tree.of("weights", net.init(scope, Key.of(1))), Map.of("model", "conv4-strided-4"));
    }
    String typed = " --victim classifier --budget 50 --eps 0.3 --data " + data;
    ok(("query-attack " + file + typed).split(" "));
    assertThat(cli.out)
        .contains("attack", "fooled", "with failures", "square", "Linf at eps 0.3000");

    try (Scope scope = Scope.open()) {
      Safetensors.write(file, Tree.of("body", net.init(scope, Key.of(1)).sub("body")));
    }
    refused("its network is unknown", file + " --victim classifier --data " + data);
    try (Scope scope = Scope.open()) {
      Safetensors.write(
          file,
          Tree.of("body", net.init(scope, Key.of(1)).sub("body")),
          Map.of("model", "conv4-strided-4"));
    }
    refused("holds no classifier but a body alone", file + " --victim classifier --data " + data);
  }

  @Test
  void aServiceIsAskedWithinItsCapAndWhatWasFoundIsShown() throws Exception {
    AtomicLong seen = new AtomicLong();
    HttpServer server =
        serve(exchange -> {
          String q = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          seen.addAndGet(q.chars().filter(c -> c == '[').count() - 2);
          respond(exchange, 200, BrightBand.answer(q, "scores", CLASSES));
        });
    try {
      String url = "http://localhost:" + server.getAddress().getPort() + "/";
      String typed = "query-attack --cap 150 --json --eps 0.02 --url " + url + " --data " + bands();
      assertThat(cli.run(typed.split(" "))).isEqualTo(ExitCode.FAILED);
      assertThat(seen.get()).isBetween(40L, 150L);
      assertThat(cli.err).contains("the cap of 150 queries is reached", "what was found before");
      Map<?, ?> row = (Map<?, ?>) ((List<?>) cli.json().get("rows")).get(0);
      assertThat(((Number) row.get("sent")).longValue()).isEqualTo(seen.get());
      assertThat(row.get("attacked")).isEqualTo(40);
    } finally {
      server.stop(0);
    }
  }

  /** Ctrl-C while the service is at its call number {@code last}: it is the last one. */
  private Map<?, ?> interruptedAt(int last, Path out, String more) throws Exception {
    AtomicLong calls = new AtomicLong();
    Interrupt interrupt = new Interrupt();
    cli.interrupt = interrupt;
    HttpServer server =
        serve(exchange -> {
          String q = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          if (calls.incrementAndGet() == last) {
            interrupt.request();
          }
          respond(exchange, 200, BrightBand.answer(q, "scores", CLASSES));
        });
    try {
      String typed =
          "query-attack --attack square,nes --json --url http://localhost:%d/ --out %s --data %s %s"
              .formatted(server.getAddress().getPort(), out, bands(), more);
      assertThat(cli.run(typed.split(" "))).as(cli.err).isEqualTo(ExitCode.INTERRUPTED);
      assertThat(calls.get()).isEqualTo(last);
    } finally {
      server.stop(0);
    }
    assertThat(cli.err)
        .contains("vauban: interrupted; what was found before is kept")
        .contains("report: " + out.resolve("report.html"))
        .doesNotContain("Exception");
    assertThat(out.resolve("report.html")).content().contains("square").doesNotContain(">nes<");
    List<?> rows = (List<?>) cli.json().get("rows");
    assertThat(rows).hasSize(1); // the attack after it did not begin
    Map<?, ?> row = (Map<?, ?>) rows.get(0);
    assertThat(row.get("ended")).isEqualTo("interrupted");
    return row;
  }

  @Test
  void ctrlCKeepsAndShowsWhatWasFound() throws Exception {
    Path out = folder.resolve("out");
    Map<?, ?> row = interruptedAt(6, out, "--eps 0.025");
    assertThat(row.get("attacked")).isEqualTo(40);
    assertThat((int) row.get("successes")).isBetween(1, 39);
    assertThat((int) row.get("sent")).isBetween(41, 40 + 5 * 40);
    assertThat(out.resolve("images/01-adversarial.png")).exists();
  }

  /** A slow service is not asked for all clean images first. */
  @Test
  void ctrlCEndsTheQuestionsForCleanImagesToo() throws Exception {
    Map<?, ?> row = interruptedAt(2, folder.resolve("out"), "--eps 0.025 --call-images 10");
    assertThat(row.get("attacked")).isEqualTo(0);
    assertThat(row.get("sent")).isEqualTo(20);
  }

  @Test
  void ctrlCBeforeTheFirstQuestionAsksNothing() throws Exception {
    cli.interrupt.request();
    String typed = "query-attack --json --eps 0.1 --command false --classes 10 --data " + bands();
    assertThat(cli.run(typed.split(" "))).as(cli.err).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(cli.err).contains("interrupted; what was found before is kept");
    assertThat(((Map<?, ?>) ((List<?>) cli.json().get("rows")).get(0)).get("sent")).isEqualTo(0);
  }

  /** Named in the command line or in a file; told to the service and to nobody else. */
  @Test
  void aHeadersSecretReachesTheServiceAlone() throws Exception {
    String secret = "s3cret-of-Ann";
    cli.environment.put("TOKEN", secret);
    Set<List<String>> sent = ConcurrentHashMap.newKeySet();
    HttpServer server =
        serve(exchange -> {
          String q = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          Headers headers = exchange.getRequestHeaders();
          sent.add(List.of(headers.getFirst("Authorization"), headers.getFirst("X-Tag")));
          respond(exchange, 200, BrightBand.answer(q, "scores", CLASSES));
        });
    try {
      String data = bands();
      String url = "http://localhost:" + server.getAddress().getPort() + "/";
      Path file = folder.resolve("attack.yaml");
      Files.writeString(
          file,
          """
          url: %s
          header: ["Authorization: Bearer ${TOKEN}", "X-Tag: a,b"]
          data: "%s"
          images: 4
          budget: 3
          eps: 0.02
          """
              .formatted(url, data));
      for (String[] typed :
          new String[][] {
            {"--url", url, "--header", "Authorization: Bearer ${TOKEN}", "--header", "X-Tag: a,b"},
            {"--config", file.toString()}
          }) {
        Path out = folder.resolve("out" + typed.length);
        List<String> all = new ArrayList<>(List.of("query-attack"));
        all.addAll(List.of(typed));
        all.addAll(List.of("--data", data, "--images", "4", "--budget", "3", "--eps", "0.02"));
        sent.clear();
        ok(all.toArray(String[]::new));
        assertThat(sent).containsExactly(List.of("Bearer " + secret, "a,b"));

        all.addAll(List.of("--out", out.toString(), "--json", "--verbose"));
        ok(all.toArray(String[]::new));
        assertThat(out.resolve("report.html"))
            .content()
            .contains("Authorization: Bearer ${TOKEN}")
            .doesNotContain(secret);
        assertThat(cli.out + cli.err).doesNotContain(secret);

        // The merged settings can be used again as they are printed.
        all.add("--print-config");
        all.remove("--json");
        ok(all.toArray(String[]::new));
        assertThat(cli.out)
            .contains("header: \"Authorization: Bearer ${TOKEN}\\nX-Tag: a,b\"")
            .doesNotContain(secret);
        Path printed = Files.writeString(folder.resolve("printed.yaml"), cli.out);
        sent.clear();
        ok("query-attack", "--config", printed.toString());
        assertThat(sent).containsExactly(List.of("Bearer " + secret, "a,b"));
      }
    } finally {
      server.stop(0);
    }
  }

  @Test
  void headersThatCannotBeSentAreRefusedBeforeAnythingIs() throws Exception {
    AtomicLong asked = new AtomicLong();
    HttpServer server = serve(exchange -> asked.incrementAndGet());
    try {
      String url = "--url http://localhost:" + server.getAddress().getPort() + "/ ";
      refused("the environment variable ABSENT, which is not set", url + "--header X:$ABSENT");
      refused("--header: Host is set by the HTTP client", url + "--header Host:elsewhere");
      refused("--header: a name, a colon and a value", url + "--header Bearer");
      refused("name the service with --url", "--command x --header X:y");
      refused("a name or a password in the address", "--url http://ann:pass@localhost/");
      assertThat(cli.err).doesNotContain("pass@");
      refused(
          "--header: everybody on the way to 192.0.2.1 could read X",
          "--url http://192.0.2.1/ --allow-remote --header X:y");
      assertThat(asked.get()).isZero();
    } finally {
      server.stop(0);
    }
  }

  @Test
  void aProgramOfLabelsIsAskedByTheAttacksThatNeedNoMore() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String command =
        "'%s' -cp '%s' %s labels %d"
            .formatted(
                java, System.getProperty("java.class.path"), BrightBand.class.getName(), CLASSES);
    String[] typed = {
      "query-attack",
      "--command",
      command,
      "--reply",
      "labels",
      "--attack",
      "boundary,sign-opt",
      "--norm",
      "l2",
      "--eps",
      "250/255",
      "--images",
      "10",
      "--budget",
      "300",
      "--data",
      bands()
    };
    ok(typed);
    assertThat(cli.out).contains("boundary", "sign-opt", "L2 at eps 250/255", "100.0%");
  }

  @Test
  void whatIsAskedOfTheWrongVictimIsRefused() throws Exception {
    refused("name one victim: a MODEL, --url or --command", "");
    refused("--url or --command, not several", "x.onnx --command y");
    refused("no model at x.onnx; give a run directory", "x.onnx");
    refused("192.0.2.1 is not this machine; if the service is yours", "--url http://192.0.2.1/");
    refused("an address begins with http://", "--url ftp://localhost/");
    refused("--norm linf: boundary works in l2 alone", "--command x --attack boundary");
    refused("--reply labels: square needs scores", "--command x --reply labels");
    refused(
        "unknown black-box attack 'sqare'; did you mean 'square'?",
        "--command x --attack nes,sqare");
    refused(
        "mnist has 10 classes, but the model tells 2 apart",
        "--command x --classes 2 --data " + bands());
  }

  private void refused(String sentence, String arguments) {
    assertThat(cli.run(("query-attack " + arguments).strip().split(" ")))
        .as(cli.err)
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.out).isEmpty();
    assertThat(cli.err).contains(sentence);
  }
}
