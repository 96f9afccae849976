package dev.vauban.cli.oracle;

import java.net.http.HttpRequest;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A header of every request to a service, typed as {@code NAME: VALUE}. The value may name
 * environment variables, as {@code $TOKEN} or {@code ${TOKEN}}; {@code $$} is a dollar sign. What
 * they hold is sent and never shown: {@link #toString} is the text as it was typed.
 */
public final class RequestHeader {
  /** RFC 9110, 5.6.2. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

  private static final Pattern DOLLAR =
      Pattern.compile("\\$(?:(\\$)|(?<name>[A-Za-z_]\\w*)|\\{(?<braced>[A-Za-z_]\\w*)})?");

  /** Beside those that the HTTP client keeps for itself: they frame a message or a connection. */
  private static final Set<String> FRAMING =
      Set.of("http2-settings", "keep-alive", "te", "trailer", "transfer-encoding");

  private final String text;
  private final String name;
  private final String value;
  private final Map<String, String> secrets;

  private RequestHeader(String text, String name, String value, Map<String, String> secrets) {
    this.text = text;
    this.name = name;
    this.value = value;
    this.secrets = secrets;
  }

  /**
   * Reads a header and looks its variables up.
   *
   * @param text as it was typed
   * @param environment what a variable holds, null if it is not set
   * @throws IllegalArgumentException if it is malformed, names a variable that holds nothing, or is
   *     not for a user to set; the sentence shows the header's name at most
   */
  public static RequestHeader parse(String text, Function<String, String> environment) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("a name, a colon and a value are expected");
    }
    String name = text.substring(0, colon);
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "before the colon stands a name of letters, digits and dashes, without blanks");
    }
    requireFree(name);
    Map<String, String> secrets = new LinkedHashMap<>();
    String value = expand(name, text.substring(colon + 1), environment, secrets).strip();
    if (value.isEmpty()) {
      throw new IllegalArgumentException(name + " has no value");
    }
    return new RequestHeader(text, name, value, Map.copyOf(secrets));
  }

  private static void requireFree(String name) {
    boolean free = !FRAMING.contains(name.toLowerCase(Locale.ROOT));
    try {
      HttpRequest.newBuilder().header(name, "value");
    } catch (IllegalArgumentException restricted) {
      free = false;
    }
    if (!free) {
      throw new IllegalArgumentException(name + " is set by the HTTP client, which takes no other");
    }
  }

  private static String expand(
      String name,
      String typed,
      Function<String, String> environment,
      Map<String, String> secrets) {
    requirePrintable(typed, name + " has");
    StringBuilder value = new StringBuilder();
    Matcher dollar = DOLLAR.matcher(typed);
    while (dollar.find()) {
      String variable =
          dollar.group("name") == null ? dollar.group("braced") : dollar.group("name");
      String held = dollar.group(1);
      if (variable != null) {
        held = environment.apply(variable);
        if (held == null || held.isBlank()) {
          throw new IllegalArgumentException(
              "%s takes its value from the environment variable %s, which %s"
                  .formatted(name, variable, held == null ? "is not set" : "is empty"));
        }
        requirePrintable(held, name + ": the environment variable " + variable + " has");
        secrets.put(variable, held.strip());
      }
      if (held == null) {
        throw new IllegalArgumentException(
            name
                + " has a '$' that begins no name of an environment variable; a dollar sign is"
                + " written $$");
      }
      dollar.appendReplacement(value, Matcher.quoteReplacement(held));
    }
    return dollar.appendTail(value).toString();
  }

  /** A line break would begin another header. */
  private static void requirePrintable(String value, String what) {
    if (!value.chars().allMatch(c -> c == '\t' || c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException(
          what + " a line break or another character that is not printable ASCII");
    }
  }

  /** Its name, as typed. */
  public String name() {
    return name;
  }

  /** What is sent. */
  String value() {
    return value;
  }

  /** A text with the variables' names instead of what they hold, wherever that stands in it. */
  static String hidden(List<RequestHeader> headers, String text) {
    List<Map.Entry<String, String>> longestFirst =
        headers.stream()
            .flatMap(header -> header.secrets.entrySet().stream())
            .sorted(Comparator.comparingInt(secret -> -secret.getValue().length()))
            .toList();
    String hidden = text;
    for (Map.Entry<String, String> secret : longestFirst) {
      hidden =
          inAnySpelling(secret.getValue())
              .matcher(hidden)
              .replaceAll(Matcher.quoteReplacement("$" + secret.getKey()));
    }
    return hidden;
  }

  /** As it is, or as JSON may spell it: characters behind a backslash, or by their numbers. */
  private static Pattern inAnySpelling(String secret) {
    StringBuilder spelling = new StringBuilder();
    for (char c : secret.toCharArray()) {
      String number = String.format(Locale.ROOT, "%04x", (int) c);
      spelling.append("(?:\\\\?").append(Pattern.quote(String.valueOf(c)));
      spelling.append("|\\\\u(?i:").append(number).append("))");
    }
    return Pattern.compile(spelling.toString());
  }

  /** The text as it was typed. */
  @Override
  public String toString() {
    return text;
  }
}
