package dev.vauban.cli.terminal;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * The user's wish to stop, as a flag that loops poll between steps. The first Ctrl-C (or SIGTERM)
 * raises the flag, so that a loop can save a checkpoint and end; a second one ends the process at
 * once.
 */
public final class Interrupt {
  private volatile boolean requested;

  /** Asks the running work to stop at its next safe point. */
  public void request() {
    requested = true;
  }

  /** Whether a stop was asked for. */
  public boolean requested() {
    return requested;
  }

  /**
   * Ends the command here if a stop was asked for.
   *
   * @param state what the user should know, e.g. "the checkpoint of step 400 is kept"
   * @throws CommandException exit 130, if a stop was asked for
   */
  public void check(String state) {
    if (requested) {
      throw CommandException.interrupted("interrupted; " + state);
    }
  }

  /**
   * Raises the flag on SIGINT and SIGTERM from now on. {@code onFirst} runs at the first signal and
   * tells the user that the stop is under way.
   *
   * <p>A shutdown hook would not do: it cannot tell a signal from a normal exit, and a second
   * Ctrl-C would be ignored while it runs. The signal class is not part of Java SE, hence the
   * reflection; where it is missing, Ctrl-C ends the process in the JVM's own way (also exit 130),
   * and the last written checkpoint stands.
   */
  public void onSignals(Runnable onFirst) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object flagRaiser =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) -> handle(proxy, method, arguments, onFirst));
      for (String name : new String[] {"INT", "TERM"}) {
        Object number = signal.getConstructor(String.class).newInstance(name);
        signal.getMethod("handle", signal, handler).invoke(null, number, flagRaiser);
      }
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | IllegalAccessException
        | InstantiationException
        | InvocationTargetException e) {
      System.getLogger(Interrupt.class.getName())
          .log(System.Logger.Level.DEBUG, "no signal handling on this JVM", e);
    }
  }

  private Object handle(Object proxy, Method method, Object[] arguments, Runnable onFirst) {
    switch (method.getName()) {
      case "handle" -> {
        if (requested) {
          Runtime.getRuntime().halt(ExitCode.INTERRUPTED.status());
        }
        request();
        onFirst.run();
        return null;
      }
      case "hashCode" -> {
        return System.identityHashCode(proxy);
      }
      case "equals" -> {
        return proxy == arguments[0];
      }
      default -> {
        return "Interrupt";
      }
    }
  }
}
