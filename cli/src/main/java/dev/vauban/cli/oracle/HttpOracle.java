package dev.vauban.cli.oracle;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.OracleException.Kind;
import dev.vauban.tensor.Shape;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A service that is asked by HTTP: one POST of {@link JsonContract} a call. Follows no redirection,
 * since the queries and their headers are meant for this address alone. One attempt a call;
 * repeating is {@link dev.vauban.adversarial.blackbox.MeteredOracle}'s.
 */
public final class HttpOracle implements Oracle {
  private static final int TOO_MANY = 429;

  private final URI address;
  private final Endpoint endpoint;
  private final List<RequestHeader> headers;
  private final HttpClient client;

  /** An oracle at this address, over a direct connection. */
  public HttpOracle(URI address, Endpoint endpoint) {
    this(address, endpoint, List.of());
  }

  /** With headers in every request. No message shows what their variables hold. */
  public HttpOracle(URI address, Endpoint endpoint, List<RequestHeader> headers) {
    this.address = address;
    this.headers = List.copyOf(headers);
    this.endpoint = endpoint;
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(endpoint.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();
  }

  /** Whether an address is of this machine. */
  public static boolean isLocal(URI address) {
    try {
      for (InetAddress each : InetAddress.getAllByName(address.getHost())) {
        if (!each.isLoopbackAddress()) {
          return false;
        }
      }
      return true;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  @Override
  public Reply reply() {
    return endpoint.reply();
  }

  @Override
  public Shape image() {
    return endpoint.image();
  }

  @Override
  public int classes() {
    return endpoint.classes();
  }

  @Override
  public int largestBatch() {
    return endpoint.batch();
  }

  @Override
  public Answers ask(float[][] images) {
    HttpResponse<byte[]> response = send(request(images));
    String text = new String(response.body(), StandardCharsets.UTF_8);
    int status = response.statusCode();
    if (status != 200) {
      boolean passing = status == TOO_MANY || status >= 500;
      throw new OracleException(
          passing ? Kind.PASSING : Kind.LASTING,
          address
              + " answered with status "
              + status
              + (text.isBlank() ? "" : ": " + JsonContract.shown(hidden(text))));
    }
    return JsonContract.answer(text, endpoint.reply(), address.toString(), this::hidden);
  }

  private HttpRequest request(float[][] images) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .timeout(endpoint.timeout())
            .setHeader("Content-Type", "application/json")
            .setHeader("Accept", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    JsonContract.question(images, endpoint.image())));
    Set<String> seen = new HashSet<>();
    for (RequestHeader header : headers) {
      // The first of a name takes the place of the usual one, further ones stand beside it.
      if (seen.add(header.name().toLowerCase(Locale.ROOT))) {
        request.setHeader(header.name(), header.value());
      } else {
        request.header(header.name(), header.value());
      }
    }
    return request.build();
  }

  /** A service that refuses a request may repeat what it was sent. */
  private String hidden(String text) {
    return RequestHeader.hidden(headers, text);
  }

  private HttpResponse<byte[]> send(HttpRequest request) {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request, info -> new BoundedBody(JsonContract.LONGEST));
    try {
      // The request's own time-out ends with the headers; this one is for the body too.
      return answer.get(endpoint.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw slow(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof HttpTimeoutException) {
        throw slow(e);
      }
      throw new OracleException(
          Kind.PASSING, address + " cannot be asked: " + hidden(reason(e.getCause())), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OracleException(Kind.LASTING, "interrupted while asking " + address, e);
    }
  }

  private OracleException slow(Exception e) {
    return new OracleException(
        Kind.PASSING,
        "%s did not answer within %s s".formatted(address, endpoint.timeout().toMillis() / 1e3),
        e);
  }

  private static String reason(Throwable cause) {
    if (cause instanceof ConnectException) {
      return "nobody listens there";
    }
    return cause instanceof IOException && cause.getMessage() != null
        ? cause.getMessage()
        : cause.getClass().getSimpleName();
  }

  @Override
  public void close() {
    client.shutdownNow();
    client.close();
  }
}
