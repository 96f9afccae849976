package dev.vauban.cli.run;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A run that this process is writing: {@code config.yaml}, {@code provenance.json}, {@code
 * metrics.jsonl}, {@code events.out.tfevents.*}, {@code checkpoint-*.safetensors}, {@code latest}
 * (the name of the newest checkpoint) and {@code log.txt}. A lock keeps a second process out; the
 * system releases it even if this one is killed.
 */
public final class RunDirectory implements AutoCloseable {
  private static final String LATEST = "latest";
  private static final String LOCK = ".lock";

  /** Half-written files of a session that was killed; only the holder of the lock writes these. */
  private static final Pattern HALF_WRITTEN =
      Pattern.compile(
          "\\.(checkpoint-\\d+\\.safetensors|(best|generator)\\.safetensors|latest|config\\.yaml"
              + "|provenance\\.json|metrics\\.jsonl)\\.\\d+(\\..*)?");

  /** What a run that ended before its first metrics line leaves. */
  private static final Pattern STILLBORN =
      Pattern.compile(
          "\\.lock|config\\.yaml|provenance\\.json|log\\.txt|metrics\\.jsonl|events\\.out\\..*|"
              + HALF_WRITTEN);

  private final Path folder;
  private final FileChannel lockFile;
  private final FileLock lock;
  private final Optional<Checkpoint> start;
  private final MetricsLog metrics;
  private final EventFile events;
  private final Optional<String> changedConfig;
  private long saved;

  private RunDirectory(
      Path folder,
      FileChannel lockFile,
      FileLock lock,
      Start mode,
      Optional<String> changedConfig) {
    this.folder = folder;
    this.changedConfig = changedConfig;
    this.lockFile = lockFile;
    this.lock = lock;
    this.start = mode == Start.RESUMED ? latest(folder) : Optional.empty();
    long step = start.map(Checkpoint::step).orElse(0L);
    this.saved = step;
    MetricsLog.truncateAfter(metricsOf(folder), step);
    this.metrics = MetricsLog.open(metricsOf(folder));
    this.events = EventFile.create(folder, mode == Start.RESUMED ? step + 1 : 0, now());
  }

  private enum Start {
    NEW,
    RESUMED
  }

  /**
   * Begins a run in {@code folder}, which must be missing or empty, or hold nothing but a run that
   * ended before its first metrics line (its data set was missing, say).
   *
   * @param configYaml the merged settings
   * @throws CommandException exit 2 if the folder is in use, not empty or cannot be written
   */
  public static RunDirectory create(Path folder, String configYaml) {
    requireFree(folder);
    try {
      Files.createDirectories(folder);
      clear(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
    RunDirectory run = locked(folder, Start.NEW, Optional.empty());
    try {
      AtomicFile.write(configOf(folder), configYaml);
      return run;
    } catch (RuntimeException e) {
      run.close();
      throw e;
    }
  }

  /**
   * Checks, and changes nothing, that {@link #create} can begin a run in {@code folder}.
   *
   * @throws CommandException exit 2 if it cannot
   */
  public static void requireFree(Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw CommandException.badInput(folder + " is a file; choose another --out");
    }
    OutputPath.requireFolder("--out", folder);
    if (Files.exists(folder) && !isFree(folder)) {
      boolean resumable = Files.exists(folder.resolve("config.yaml"));
      throw CommandException.badInput(
          folder
              + (resumable
                  ? " already holds a run; continue it with --resume or choose another --out"
                  : " is not empty; choose another --out"));
    }
  }

  /**
   * Checks, and changes nothing, that {@link #resume} can continue the run in {@code folder}.
   *
   * @throws CommandException exit 2 if there is no run or another process is writing it
   */
  public static void requireIdle(Path folder) {
    requireRun(folder);
    try {
      if (isLocked(folder)) {
        throw inUse(folder);
      }
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
  }

  private static CommandException inUse(Path folder) {
    return CommandException.badInput(
        folder
            + " is being written by another process"
            + holder(folder.resolve(LOCK))
            + "; wait or stop it");
  }

  /**
   * Continues the run in {@code folder} from its latest checkpoint, or from step 0 if it was ended
   * before the first one. What was logged after that checkpoint is removed, and so are files that a
   * killed session had half written.
   *
   * @param changedConfig the run's settings, if this session changes them: written when it {@link
   *     #begin begins}, so that a session that is refused before changes nothing
   * @throws CommandException exit 2 if there is no run or another process is writing it
   */
  public static RunDirectory resume(Path folder, Optional<String> changedConfig) {
    requireRun(folder);
    RunDirectory run = locked(folder, Start.RESUMED, changedConfig);
    removeHalfWritten(folder);
    return run;
  }

  /**
   * Checks that {@code folder} holds a run.
   *
   * @throws CommandException exit 2 with what is missing
   */
  public static void requireRun(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw CommandException.badInput(
          "no run in "
              + folder
              + ": there is no such folder; give the --out of an earlier training");
    }
    if (!Files.exists(configOf(folder))) {
      throw CommandException.badInput("no run in " + folder + ": config.yaml is missing");
    }
  }

  private static RunDirectory locked(Path folder, Start mode, Optional<String> changedConfig) {
    Path file = folder.resolve(LOCK);
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null) {
        throw inUse(folder);
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
      return new RunDirectory(folder, channel, lock, mode, changedConfig);
    } catch (IOException e) {
      closeQuietly(channel);
      throw Failure.writing(file, e);
    } catch (RuntimeException e) {
      closeQuietly(channel);
      throw e;
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // held by another thread of this process
    }
  }

  private static String holder(Path lockFile) {
    try {
      String pid = Files.readString(lockFile).strip();
      return pid.isEmpty() ? "" : " (process " + pid + ")";
    } catch (IOException e) {
      return "";
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      System.getLogger(RunDirectory.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot close the lock file", e);
    }
  }

  /** The run's folder. */
  public Path folder() {
    return folder;
  }

  /** The checkpoint that this session starts from; empty for a run that begins at step 0. */
  public Optional<Checkpoint> start() {
    return start;
  }

  /**
   * Checks that a run that is resumed was begun with the same data: with others it would not be the
   * run that its checkpoint is from.
   *
   * @param now what this session would write down
   * @throws CommandException exit 2, if the data have another hash
   */
  public void requireData(Provenance now) {
    if (!Files.exists(provenanceOf(folder))) {
      return;
    }
    String before = provenance(folder).dataSha256();
    if (!now.dataSha256().equals(before)) {
      throw CommandException.badInput(
          "%s has changed since the run in %s was begun (SHA-256 %s now, %s then); put the data back or"
                  .formatted(now.data(), folder, abbreviated(now.dataSha256()), abbreviated(before))
              + " start a new run");
    }
  }

  /** The beginnings of hashes; several stand for several sources of data. */
  private static String abbreviated(String hashes) {
    return hashes.replaceAll("(\\w{12})\\w+", "$1...");
  }

  /**
   * Checks that the run is not beyond what a session is to reach.
   *
   * @param steps in all, over all sessions
   * @throws CommandException exit 2, if the checkpoint to start from is of a later step
   */
  public void requireWithin(long steps) {
    long step = start.map(Checkpoint::step).orElse(0L);
    if (step > steps) {
      throw CommandException.badInput(
          "the run in %s is at step %d, beyond the %d steps that are asked for; ask for at least as many"
              .formatted(folder, step, steps));
    }
  }

  /**
   * Notes that a session goes on from here: settings that it changes, and {@code provenance.json},
   * where a resumed run adds its session to what is there.
   */
  public void begin(Provenance provenance) {
    changedConfig.ifPresent(yaml -> AtomicFile.write(configOf(folder), yaml));
    Path file = provenanceOf(folder);
    Provenance whole = provenance;
    if (Files.exists(file)) {
      Provenance before = provenance(folder);
      whole = before;
      for (Provenance.Session session : provenance.sessions()) {
        whole = whole.and(session);
      }
    }
    AtomicFile.write(file, Json.pretty(whole) + "\n");
  }

  /** Logs numbers of one step to {@code metrics.jsonl} and to the TensorBoard events. */
  public void log(long step, Map<String, Double> values) {
    metrics.append(step, values);
    events.scalars(step, now(), values);
  }

  /**
   * Saves the checkpoint of {@code step}: {@code body} writes a safetensors file, which then
   * becomes the latest. Whatever happens meanwhile, the previous checkpoint and pointer stay whole.
   *
   * @param keep how many checkpoints to keep; older ones are deleted
   * @throws CommandException exit 1 if the disk is full, exit 2 if the folder cannot be written
   */
  public Checkpoint save(long step, int keep, AtomicFile.Body body) {
    metrics.force();
    Checkpoint checkpoint = Checkpoint.at(folder, step);
    AtomicFile.write(checkpoint.file(), body);
    AtomicFile.write(folder.resolve(LATEST), checkpoint.file().getFileName() + "\n");
    saved = step;
    List<Checkpoint> all = checkpoints(folder);
    for (Checkpoint old : all.subList(0, Math.max(0, all.size() - Math.max(1, keep)))) {
      try {
        Files.deleteIfExists(old.file());
      } catch (IOException e) {
        System.getLogger(RunDirectory.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "cannot delete the old checkpoint " + old.file() + ": " + Failure.reason(e));
      }
    }
    return checkpoint;
  }

  /** What a session that ends now leaves, for a sentence. */
  public String kept() {
    return saved == 0
        ? "no checkpoint was due yet"
        : "the checkpoint of step " + saved + " is kept";
  }

  /** The checkpoint that {@code latest} names, if it exists. */
  public static Optional<Checkpoint> latest(Path folder) {
    Path pointer = folder.resolve(LATEST);
    try {
      if (Files.exists(pointer)) {
        Path file = folder.resolve(Files.readString(pointer).strip());
        if (Files.exists(file)) {
          return Checkpoint.of(file);
        }
      }
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + pointer + ": " + Failure.reason(e), e);
    }
    List<Checkpoint> all = checkpoints(folder);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /** All checkpoints in {@code folder}, the oldest first. */
  public static List<Checkpoint> checkpoints(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .flatMap(file -> Checkpoint.of(file).stream())
          .sorted(Comparator.comparingLong(Checkpoint::step))
          .toList();
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + folder + ": " + Failure.reason(e), e);
    }
  }

  /** The provenance of the run in {@code folder}. */
  public static Provenance provenance(Path folder) {
    return Json.read(provenanceOf(folder), Provenance.class, "a run");
  }

  /** The path of a run's merged settings. */
  public static Path configOf(Path folder) {
    return folder.resolve("config.yaml");
  }

  /** The path of a run's provenance. */
  public static Path provenanceOf(Path folder) {
    return folder.resolve("provenance.json");
  }

  /** The path of a run's metrics. */
  public static Path metricsOf(Path folder) {
    return folder.resolve("metrics.jsonl");
  }

  /** The path of a run's log. */
  public static Path logOf(Path folder) {
    return folder.resolve("log.txt");
  }

  /** Whether nothing is lost if a new run takes the folder. */
  private static boolean isFree(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.allMatch(e -> STILLBORN.matcher(e.getFileName().toString()).matches())
          && (!Files.exists(metricsOf(folder)) || Files.size(metricsOf(folder)) == 0)
          && !isLocked(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
  }

  /** Clears away what a stillborn run left. */
  private static void clear(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path entry : files.toList()) {
        Files.delete(entry);
      }
    }
  }

  private static void removeHalfWritten(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (HALF_WRITTEN.matcher(file.getFileName().toString()).matches()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      System.getLogger(RunDirectory.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "half-written files stay in " + folder + ": " + Failure.reason(e));
    }
  }

  private static boolean isLocked(Path folder) throws IOException {
    Path file = folder.resolve(LOCK);
    if (!Files.exists(file)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock held = tryLock(channel)) {
      return held == null;
    }
  }

  private static double now() {
    return System.currentTimeMillis() / 1000.0;
  }

  @Override
  public void close() {
    metrics.close();
    events.close();
    try {
      lock.release();
      lockFile.close();
    } catch (IOException e) {
      throw Failure.writing(folder.resolve(LOCK), e);
    }
  }
}
