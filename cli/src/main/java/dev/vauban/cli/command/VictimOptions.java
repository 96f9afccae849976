package dev.vauban.cli.command;

import dev.vauban.adversarial.blackbox.Limits;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.cli.config.OracleReply;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Victim;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.QueryJob;
import dev.vauban.cli.job.QueryVictim;
import dev.vauban.cli.oracle.HttpOracle;
import dev.vauban.cli.oracle.RequestHeader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Whom a black-box attack asks, and how often it may. */
public final class VictimOptions {
  private static final String SAFETENSORS = ".safetensors";

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description =
          "a run directory, a .safetensors file, or a model in a file of another runtime (.onnx)")
  Path model;

  @Option(
      names = "--url",
      paramLabel = "URL",
      description =
          "instead of a model: a service of yours that answers POST requests in JSON; on this machine,"
              + " unless --allow-remote is given")
  String url;

  @Option(
      names = "--command",
      paramLabel = "COMMAND",
      description =
          "instead of a model: a program of yours that answers lines of JSON on its standard output")
  String command;

  @Option(
      names = "--allow-remote",
      description = "the service of --url is on another machine, and you are its owner")
  boolean allowRemote;

  @Option(
      names = "--header",
      paramLabel = "'NAME: VALUE'",
      split = "\n",
      description =
          "a header of each request to --url; $NAME in its value stands for an environment variable"
              + " and is all that is ever shown of it, $$$$ for a dollar sign; may be repeated")
  List<String> headers;

  @Option(
      names = "--victim",
      paramLabel = "KIND",
      defaultValue = "adapted",
      description =
          "what a model answers as: ${COMPLETION-CANDIDATES}; adapted to each episode's support"
              + " images, or for all classes as it is (default: ${DEFAULT-VALUE})")
  Victim kind;

  @Option(
      names = "--reply",
      paramLabel = "WHAT",
      defaultValue = "scores",
      description =
          "what --url, --command or a file of another runtime answers with: ${COMPLETION-CANDIDATES}"
              + " (default: ${DEFAULT-VALUE})")
  OracleReply reply;

  @Range(min = 2, max = 1_000_000)
  @Option(
      names = "--classes",
      paramLabel = "N",
      description = "how many classes they tell apart (default: as many as the data have)")
  Integer classes;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--call-images",
      paramLabel = "N",
      defaultValue = "256",
      description = "images of one call at most (default: ${DEFAULT-VALUE})")
  int callImages;

  @Range(min = 1)
  @Option(
      names = "--cap",
      paramLabel = "N",
      description =
          "queries in all, repeated ones included, that are never exceeded (default: none for"
              + " models; 1000000 for --url and --command)")
  Long cap;

  @Range(above = 0)
  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "queries per second at most (default: no limit)")
  Double rate;

  @Range(min = 0, max = 100)
  @Option(
      names = "--retries",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "times that a call is repeated after a time-out or an overload, with growing delays"
              + " (default: ${DEFAULT-VALUE})")
  int retries;

  @Range(above = 0, max = 86_400)
  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "of one call (default: ${DEFAULT-VALUE})")
  double timeout;

  /**
   * Whom to ask.
   *
   * @param environment what an environment variable holds, null if it is not set
   * @throws dev.vauban.cli.failure.CommandException exit 2, unless exactly one is named and it is
   *     fit
   */
  QueryVictim victim(Function<String, String> environment) {
    int named = (model == null ? 0 : 1) + (url == null ? 0 : 1) + (command == null ? 0 : 1);
    if (named != 1) {
      throw CommandException.badInput(
          "name one victim: a MODEL, --url or --command" + (named == 0 ? "" : ", not several"));
    }
    if (url != null) {
      return service(environment);
    }
    if (headers != null) {
      throw CommandException.badInput(
          "--header is part of a request to a service: name the service with --url");
    }
    if (command != null) {
      return new QueryVictim.Program(command);
    }
    if (!Files.isDirectory(model) && !model.toString().endsWith(SAFETENSORS)) {
      if (!Files.isRegularFile(model)) {
        throw CommandException.badInput(
            "no model at " + model + "; give a run directory, a .safetensors or a .onnx file");
      }
      return new QueryVictim.InFile(model);
    }
    ModelPath.require(model);
    return new QueryVictim.OfVauban(
        model, kind, kind == Victim.ADAPTED ? ModelPath.learner(model) : null);
  }

  private QueryVictim service(Function<String, String> environment) {
    URI address = address();
    boolean isLocal = HttpOracle.isLocal(address);
    if (!allowRemote && !isLocal) {
      throw CommandException.badInput(
          "--url %s: %s is not this machine; if the service is yours, add --allow-remote"
              .formatted(url, address.getHost()));
    }
    List<RequestHeader> all = new ArrayList<>();
    for (String text : headers == null ? List.<String>of() : headers) {
      RequestHeader header;
      try {
        header = RequestHeader.parse(text, environment);
      } catch (IllegalArgumentException e) {
        throw CommandException.badInput("--header: " + e.getMessage(), e);
      }
      if (!isLocal && address.getScheme().equalsIgnoreCase("http")) {
        throw CommandException.badInput(
            ("--header: everybody on the way to %s could read %s; give an address with https://, or"
                    + " a tunnel that begins on this machine")
                .formatted(address.getHost(), header.name()));
      }
      all.add(header);
    }
    return new QueryVictim.Service(address, List.copyOf(all));
  }

  private URI address() {
    URI address;
    try {
      address = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput("--url " + url + ": not an address: " + e.getMessage(), e);
    }
    String scheme = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
    if (address.getHost() == null || !scheme.equals("http") && !scheme.equals("https")) {
      throw CommandException.badInput(
          "--url " + url + ": an address begins with http:// or https:// and names a host");
    }
    if (address.getRawUserInfo() != null) {
      // The address stands in the report, and the HTTP client would not send them anyway.
      throw CommandException.badInput(
          "--url: a name or a password in the address is not sent; give --header 'Authorization:"
              + " Basic $CREDENTIALS' instead");
    }
    return address;
  }

  /** What is known of a victim outside of Vauban. */
  QueryJob.Outside outside() {
    boolean isOutside = model == null || !Files.isDirectory(model) && !isOfVauban();
    return new QueryJob.Outside(
        classes,
        isOutside ? reply.reply() : Oracle.Reply.SCORES,
        callImages,
        Duration.ofMillis(Math.max(1, Math.round(timeout * 1000))));
  }

  private boolean isOfVauban() {
    return model.toString().endsWith(SAFETENSORS);
  }

  /** How often it may be asked. */
  Limits limits() {
    long usual = model == null ? 1_000_000 : Long.MAX_VALUE;
    return new Limits(
        cap == null ? usual : cap,
        rate == null ? Double.POSITIVE_INFINITY : rate,
        retries,
        Duration.ofMillis(500));
  }
}
