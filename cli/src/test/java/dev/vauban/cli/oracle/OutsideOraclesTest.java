package dev.vauban.cli.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vauban.adversarial.blackbox.Boundary;
import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.Limits;
import dev.vauban.adversarial.blackbox.MeteredOracle;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.OracleException.Kind;
import dev.vauban.adversarial.blackbox.Outcome;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.adversarial.blackbox.Square;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Services on the loopback and programs, well-behaved and not. */
class OutsideOraclesTest {
  private static final Shape IMAGE = Shape.of(4, 3, 1);
  private HttpServer server;
  private ExecutorService handlers;
  private final AtomicLong seen = new AtomicLong();

  @AfterEach
  void stop() {
    if (server != null) {
      server.stop(0);
      handlers.shutdownNow();
    }
  }

  private interface Handler {
    void handle(HttpExchange exchange, String question) throws IOException;
  }

  private URI serve(Handler handler) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    handlers = Executors.newCachedThreadPool();
    server.setExecutor(handlers);
    server.createContext(
        "/",
        exchange -> {
          String question =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          seen.addAndGet(question.chars().filter(c -> c == '[').count() - 2); // shape, images
          handler.handle(exchange, question);
        });
    server.start();
    return URI.create("http://localhost:" + server.getAddress().getPort() + "/ask");
  }

  private static void respond(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static Endpoint endpoint(Oracle.Reply reply, int millis) {
    return new Endpoint(IMAGE, 2, reply, 5, Duration.ofMillis(millis));
  }

  private static Limits limits(long cap) {
    return new Limits(cap, Double.POSITIVE_INFINITY, 3, Duration.ofMillis(5));
  }

  private static final int N = 6;

  /** Bright above or bright below, by a little or by a lot. */
  private static float[][] images() {
    float[][] images = new float[N][12];
    for (int n = 0; n < N; n++) {
      for (int i = 0; i < 12; i++) {
        images[n][i] = 0.5f + (n % 2 == 0 ^ i >= 6 ? 0.01f : -0.01f) * (1 + 4 * n);
      }
    }
    return images;
  }

  private static int[] labels() {
    return new int[] {0, 1, 0, 1, 0, 1};
  }

  private static QueryResult square(MeteredOracle oracle) {
    return new Campaign(new Square(), Threat.linf(0.15), 60)
        .run(oracle, images(), labels(), Key.of(1), (done, sent) -> {});
  }

  @Test
  void aServiceIsAskedLikeAnyOracleAndCountsTheSameQueries() throws Exception {
    URI address = serve((exchange, q) -> respond(exchange, 200, BrightBand.answer(q, "scores", 2)));
    try (MeteredOracle oracle =
        new MeteredOracle(
            new HttpOracle(address, endpoint(Oracle.Reply.SCORES, 60_000)), limits(10_000))) {
      QueryResult result = square(oracle);
      assertThat(result.ended()).isEmpty();
      // eps 0.15 against a lead of 0.01 (1 + 4 n): images 0 to 3 can be fooled, 4 and 5 cannot.
      assertThat(result.successCount()).isEqualTo(4);
      assertThat(seen.get()).isEqualTo(result.sent());
    }
  }

  @Test
  void aServiceThatFailsNowAndThenIsAskedAgainWithinTheCap() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    URI address =
        serve((exchange, q) -> {
          switch (calls.incrementAndGet() % 4) {
            case 1 -> respond(exchange, 503, "");
            case 2 -> exchange.close();
            default -> respond(exchange, 200, BrightBand.answer(q, "labels", 2));
          }
        });
    for (int cap : new int[] {7, 50, 200}) {
      seen.set(0);
      try (MeteredOracle oracle =
          new MeteredOracle(
              new HttpOracle(address, endpoint(Oracle.Reply.LABELS, 60_000)), limits(cap))) {
        QueryResult result =
            new Campaign(new Boundary(), Threat.l2(0), 100)
                .run(oracle, images(), labels(), Key.of(1), (done, sent) -> {});
        assertThat(seen.get()).isLessThanOrEqualTo(cap);
        assertThat(result.ended()).startsWith("the cap of");
        assertThat(oracle.meter().retried()).isPositive();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          200 | {"scores":[[1,2]]}               | LASTING | the oracle answered 1 of 2 images
          200 | {"scores":[[1,2],[NaN,2]]}       | LASTING | did not answer in JSON but with '{"scores":[[1,2],[NaN
          200 | {"scores":[[1,2],[null,2]]}      | LASTING | row 1 of the scores of
          200 | {"scores":[[1,2],[1e999,2]]}     | LASTING | the oracle gave a score of Infinity
          200 | {"scores":[[1,2,3],[1,2,3]]}     | LASTING | the oracle gave 3 scores for an image of 2 classes
          200 | {"labels":[0,1]}                 | LASTING | has no array "scores"
          200 | {"error":"no such model"}        | LASTING | refused: no such model
          200 | <html>welcome</html>             | LASTING | did not answer in JSON but with '<html>welcome</html>'
          302 | elsewhere                        | LASTING | answered with status 302: elsewhere
          404 | not here                         | LASTING | answered with status 404: not here
          500 | Traceback                        | PASSING | answered with status 500: Traceback (asked 4 times)
          429 | slow down                        | PASSING | answered with status 429: slow down (asked 4 times)
          """)
  void badAnswersAreOneSentence(int status, String text, Kind kind, String sentence)
      throws Exception {
    URI address = serve((exchange, q) -> respond(exchange, status, text));
    try (MeteredOracle oracle =
        new MeteredOracle(
            new HttpOracle(address, endpoint(Oracle.Reply.SCORES, 60_000)), limits(100))) {
      assertThatThrownBy(() -> oracle.ask(new float[2][12]))
          .isInstanceOf(OracleException.class)
          .hasMessageContaining(sentence)
          .satisfies(e -> assertThat(((OracleException) e).kind()).isEqualTo(kind))
          .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
      assertThat(seen.get()).isEqualTo(oracle.meter().sent());
    }
  }

  @Test
  void slowAndAbsentServicesAreOneSentenceAndKeepWhatWasFound() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    URI address =
        serve((exchange, q) -> {
          if (calls.incrementAndGet() <= 12) {
            respond(exchange, 200, BrightBand.answer(q, "scores", 2));
            return;
          }
          exchange.sendResponseHeaders(200, 1000); // and then nothing
          exchange.getResponseBody().write('{');
          exchange.getResponseBody().flush();
        });
    try (MeteredOracle oracle =
        new MeteredOracle(
            new HttpOracle(address, endpoint(Oracle.Reply.SCORES, 3000)),
            new Limits(1000, Double.POSITIVE_INFINITY, 1, Duration.ofMillis(1)))) {
      QueryResult result = square(oracle);
      assertThat(result.ended()).endsWith("did not answer within 3.0 s (asked 2 times)");
      assertThat(result.successCount()).isPositive();
      assertThat(result.outcomes()).anyMatch(o -> o.status() == Outcome.Status.CUT_SHORT);
    }
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    URI nobody = URI.create("http://127.0.0.1:" + free + "/");
    try (Oracle oracle = new HttpOracle(nobody, endpoint(Oracle.Reply.SCORES, 60_000))) {
      assertThatThrownBy(() -> oracle.ask(new float[1][12]))
          .hasMessage(nobody + " cannot be asked: nobody listens there");
    }
  }

  @Test
  void headersAreSentInPlaceOfTheUsualOnesOrBesideThem() throws Exception {
    AtomicReference<Headers> sent = new AtomicReference<>();
    URI address =
        serve((exchange, q) -> {
          sent.set(exchange.getRequestHeaders());
          respond(exchange, 200, BrightBand.answer(q, "labels", 2));
        });
    Map<String, String> environment = Map.of("TOKEN", "s3cret==", "USER_2", " Ann ");
    List<RequestHeader> headers =
        Stream.of(
                "Authorization: Bearer $TOKEN",
                "x-price:${TOKEN}$$5/$USER_2.",
                "X-Price: another",
                "Accept: text/plain, */*")
            .map(text -> RequestHeader.parse(text, environment::get))
            .toList();
    try (Oracle oracle = new HttpOracle(address, endpoint(Oracle.Reply.LABELS, 60_000), headers)) {
      oracle.ask(new float[1][12]);
    }
    assertThat(sent.get().get("Authorization")).containsExactly("Bearer s3cret==");
    assertThat(sent.get().get("X-Price")).containsExactly("s3cret==$5/ Ann .", "another");
    assertThat(sent.get().get("Accept")).containsExactly("text/plain, */*");
    assertThat(sent.get().get("Content-Type")).containsExactly("application/json");
    assertThat(headers.toString()).contains("$TOKEN").doesNotContain("s3cret");
  }

  /** The sentence may be the service's own words, and the service knows the secret. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          401 | no access for long-secret here         | status 401: no access for $LONG here
          403 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxlong-secret | xx$LONG
          200 | token long-secret?                     | but with 'token $LONG?'
          200 | {"error":"no long-secret, no secret"}  | refused: no $LONG, no $SHORT
          200 | {"scores":[["long-secret",1]]}         | has "$LONG" for a number
          """)
  void whatAHeaderHidesIsNotRepeatedFromAnAnswer(int status, String text, String sentence)
      throws Exception {
    URI address = serve((exchange, q) -> respond(exchange, status, text));
    Map<String, String> environment = Map.of("LONG", "long-secret", "SHORT", "secret");
    List<RequestHeader> headers =
        Stream.of("A: $SHORT", "B: $LONG")
            .map(typed -> RequestHeader.parse(typed, environment::get))
            .toList();
    try (Oracle oracle = new HttpOracle(address, endpoint(Oracle.Reply.SCORES, 60_000), headers)) {
      assertThatThrownBy(() -> oracle.ask(new float[1][12]))
          .isInstanceOf(OracleException.class)
          .hasMessageContaining(sentence)
          .hasMessageNotContaining("secret");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          Bearer abc             | a name, a colon and a value are expected
          : abc                  | before the colon stands a name of letters
          X Y: abc               | before the colon stands a name of letters
          X:                     | X has no value
          X: $$ $ABSENT          | X takes its value from the environment variable ABSENT, which is not set
          X: ${EMPTY}            | X takes its value from the environment variable EMPTY, which is empty
          X: a $ b               | X has a '$' that begins no name of an environment variable
          X: ${FINE              | X has a '$' that begins no name of an environment variable
          X: ${NO NAME}          | X has a '$' that begins no name of an environment variable
          X: $LINES              | X: the environment variable LINES has a line break or another
          X: schön               | X has a line break or another character that is not printable ASCII
          Host: elsewhere        | Host is set by the HTTP client, which takes no other
          content-length: 3      | content-length is set by the HTTP client
          Connection: close      | Connection is set by the HTTP client
          Expect: 100-continue   | Expect is set by the HTTP client
          Upgrade: h2c           | Upgrade is set by the HTTP client
          Transfer-Encoding: x   | Transfer-Encoding is set by the HTTP client
          """)
  void badHeadersAreOneSentenceWithoutTheirValues(String text, String sentence) {
    Map<String, String> environment =
        Map.of("EMPTY", " ", "FINE", "fine", "LINES", "hidden\r\nX-Evil: hidden");
    assertThatThrownBy(() -> RequestHeader.parse(text, environment::get))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(sentence)
        .hasMessageNotContaining("hidden")
        .hasMessageNotContaining("abc");
  }

  @Test
  void onlyLoopbackAddressesAreLocal() {
    assertThat(HttpOracle.isLocal(URI.create("http://127.0.0.1:8/"))).isTrue();
    assertThat(HttpOracle.isLocal(URI.create("http://localhost/"))).isTrue();
    assertThat(HttpOracle.isLocal(URI.create("http://[::1]/"))).isTrue();
    assertThat(HttpOracle.isLocal(URI.create("http://192.0.2.1/"))).isFalse();
    assertThat(HttpOracle.isLocal(URI.create("http://no-such-host.invalid/"))).isFalse();
  }

  private static String bright(String as) {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    return "'%s' -cp '%s' %s %s 2"
        .formatted(java, System.getProperty("java.class.path"), BrightBand.class.getName(), as);
  }

  @Test
  void aProgramAnswersLineByLineAndEndsWithTheOracle() {
    long before = ProcessHandle.current().descendants().count();
    try (MeteredOracle oracle =
        new MeteredOracle(
            new CommandOracle(bright("scores"), endpoint(Oracle.Reply.SCORES, 60_000)),
            limits(10_000))) {
      QueryResult result = square(oracle);
      assertThat(result.ended()).isEmpty();
      assertThat(result.successCount()).isEqualTo(4);
    }
    assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive).count())
        .isLessThanOrEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          exit 3                      | 60000 | ended with exit code 3 instead of answering
          read x; echo nonsense       | 60000 | did not answer in JSON but with 'nonsense'
          no-such-program-anywhere    | 60000 | ended with exit code 127 instead of answering
          sleep 100                   |   600 | did not answer within 0.6 s
          read x; echo '{"labels":0}' | 60000 | has no array "labels"
          """)
  void aProgramThatFailsIsOneSentence(String command, int millis, String sentence) {
    try (Oracle oracle = new CommandOracle(command, endpoint(Oracle.Reply.LABELS, millis))) {
      assertThatThrownBy(() -> oracle.ask(new float[1][12]))
          .isInstanceOf(OracleException.class)
          .hasMessageContaining("the command '" + command + "'")
          .hasMessageContaining(sentence);
    }
  }

  @Test
  void aProgramThatDiedIsStartedAgain() {
    // Answers once, then ends.
    String once = "read x; echo '{\"labels\":[1]}'";
    try (MeteredOracle oracle =
        new MeteredOracle(
            new CommandOracle(once, endpoint(Oracle.Reply.LABELS, 60_000)), limits(100))) {
      for (int k = 0; k < 4; k++) {
        assertThat(oracle.ask(new float[1][12]).labels()).containsExactly(1);
      }
    }
  }

  @Test
  void questionsReadBackAsTheSameFloats() {
    float[] image = {0f, 1f, 1e-8f, 0.1f, 0.33333334f, Math.nextDown(1f)};
    String question = JsonContract.question(new float[][] {image, image}, Shape.of(1, 2, 3));
    assertThat(question).startsWith("{\"shape\":[1,2,3],\"images\":[[0.0,1.0,1.0E-8,0.1,");
    String[] numbers =
        question.substring(question.indexOf("[[") + 2, question.indexOf(']', 30)).split(",");
    for (int i = 0; i < image.length; i++) {
      assertThat(Float.parseFloat(numbers[i])).isEqualTo(image[i]);
    }
    assertThat(question).doesNotContain("\n");
  }
}
