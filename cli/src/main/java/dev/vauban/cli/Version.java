package dev.vauban.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Vauban's version, from the build. */
public final class Version implements IVersionProvider {
  /** The project's version, or {@code dev} where the build did not write it. */
  public static String text() {
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        Properties properties = new Properties();
        properties.load(in);
        String version = properties.getProperty("version", "dev");
        return version.startsWith("$") ? "dev" : version;
      }
    } catch (IOException e) {
      System.getLogger(Version.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot read version.properties", e);
    }
    return "dev";
  }

  @Override
  public String[] getVersion() {
    return new String[] {"vauban " + text()};
  }
}
