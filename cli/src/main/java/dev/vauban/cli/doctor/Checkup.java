package dev.vauban.cli.doctor;

import dev.vauban.cli.Version;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Console.Ink;
import dev.vauban.natives.onednn.OneDnn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All findings about a machine.
 *
 * @param checks in the order they are shown
 */
public record Checkup(List<Check> checks) {

  /** Looks at the machine and the JVM that this process runs on. */
  public static Checkup ofThisMachine() {
    OneDnn.Status oneDnn = LibraryChecks.status();
    List<Check> checks = new ArrayList<>();
    checks.add(JvmChecks.jdk(Runtime.version()));
    checks.add(JvmChecks.vectorApi());
    checks.add(LibraryChecks.oneDnn(oneDnn));
    checks.add(LibraryChecks.cuda());
    checks.add(JvmChecks.processor());
    checks.add(JvmChecks.memory());
    checks.add(FolderChecks.cache(oneDnn));
    return new Checkup(List.copyOf(checks));
  }

  /** The findings for people: a mark, a name, a phrase, and under it what to do. */
  public String format(Console console) {
    StringBuilder text = new StringBuilder("vauban ").append(Version.text());
    int width = checks.stream().mapToInt(c -> c.name().length()).max().orElse(0);
    for (Check check : checks) {
      String mark =
          switch (check.state()) {
            case OK -> console.paint(Ink.GREEN, "✓");
            case OPTIONAL -> console.paint(Ink.YELLOW, "–");
            case MISSING -> console.paint(Ink.RED, "✗");
          };
      text.append(System.lineSeparator()).append(mark).append(' ');
      text.append(("%-" + width + "s  ").formatted(check.name())).append(check.finding());
      if (!check.remedy().isEmpty()) {
        text.append(System.lineSeparator()).append(" ".repeat(width + 4));
        text.append(console.paint(Ink.DIM, "→ " + check.remedy()));
      }
    }
    return text.toString();
  }

  /** The findings for programs: one object per check, keyed by a lower-case name. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("version", Version.text());
    for (Check check : checks) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("state", check.state().name().toLowerCase(java.util.Locale.ROOT));
      entry.putAll(check.facts());
      if (check.state() != Check.State.OK) {
        entry.put("reason", check.finding());
        if (!check.remedy().isEmpty()) {
          entry.put("remedy", check.remedy());
        }
      }
      json.put(check.name().toLowerCase(java.util.Locale.ROOT).replace(' ', '_'), entry);
    }
    return json;
  }
}
