package dev.vauban.cli.oracle;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.OracleException.Kind;
import dev.vauban.tensor.Shape;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A program that is asked over its standard input and answers on its standard output, one line of
 * {@link JsonContract} a call. It is started by the first call and again after a call that failed;
 * what it writes to standard error is shown. Closing ends it and what it started.
 */
public final class CommandOracle implements Oracle {
  private static final long GRACE_MILLIS = 2000;

  private final String command;
  private final Endpoint endpoint;
  private Process process;
  private InputStream answers;

  /**
   * An oracle behind a command.
   *
   * @param command as a shell reads it
   */
  public CommandOracle(String command, Endpoint endpoint) {
    this.command = command;
    this.endpoint = endpoint;
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
    start();
    byte[] question =
        (JsonContract.question(images, endpoint.image()) + "\n").getBytes(StandardCharsets.UTF_8);
    String line;
    try {
      line = exchange(question);
    } catch (OracleException e) {
      stop(); // a late answer must not be taken for the next one
      throw e;
    }
    return JsonContract.answer(line, endpoint.reply(), "the command '" + command + "'");
  }

  private void start() {
    if (process != null && process.isAlive()) {
      return;
    }
    stop();
    try {
      process =
          new ProcessBuilder("sh", "-c", command)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      answers = new BufferedInputStream(process.getInputStream(), 1 << 16);
    } catch (IOException e) {
      throw new OracleException(
          Kind.LASTING, "the command '" + command + "' cannot be started: " + e.getMessage(), e);
    }
  }

  /** Writes and reads in a thread of its own: either may block for ever. */
  private String exchange(byte[] question) {
    CompletableFuture<String> answer = new CompletableFuture<>();
    OutputStream to = process.getOutputStream();
    InputStream from = answers;
    Thread.ofPlatform()
        .daemon()
        .name("command-oracle")
        .start(() -> {
          try {
            to.write(question);
            to.flush();
            answer.complete(line(from));
          } catch (IOException | UncheckedIOException e) {
            answer.completeExceptionally(e);
          }
        });
    try {
      return answer.get(endpoint.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new OracleException(
          Kind.PASSING,
          "the command '%s' did not answer within %s s"
              .formatted(command, endpoint.timeout().toMillis() / 1e3),
          e);
    } catch (ExecutionException e) {
      throw new OracleException(Kind.PASSING, gone(e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OracleException(Kind.LASTING, "interrupted while asking '" + command + "'", e);
    }
  }

  private static String line(InputStream from) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int b = from.read(); b != '\n'; b = from.read()) {
      if (b < 0) {
        throw new IOException("it ended");
      }
      if (bytes.size() == JsonContract.LONGEST) {
        throw new IOException("its line is longer than " + (JsonContract.LONGEST >> 20) + " MB");
      }
      bytes.write(b);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private String gone(Throwable cause) {
    try {
      if (process.waitFor(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
        return "the command '%s' ended with exit code %d instead of answering"
            .formatted(command, process.exitValue());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return "the command '" + command + "' cannot be asked: " + cause.getMessage();
  }

  private void stop() {
    if (process == null) {
      return;
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    process = null;
  }

  /** Lets the program end by the end of its input, and ends it if it does not. */
  @Override
  public void close() {
    if (process == null) {
      return;
    }
    try {
      process.getOutputStream().close();
      process.waitFor(GRACE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (IOException e) {
      // It has ended already.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    stop();
  }
}
