package dev.vauban.natives.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The functions of one opened library, found once. Generated bindings take it as their first
 * argument, so that several libraries of a kind can be open at a time.
 */
public final class Symbols {
  private final Map<String, MemorySegment> addresses;
  private final List<String> missing;

  private Symbols(Map<String, MemorySegment> addresses, List<String> missing) {
    this.addresses = Map.copyOf(addresses);
    this.missing = List.copyOf(missing);
  }

  /** Looks up all of the names. */
  static Symbols of(SymbolLookup library, List<String> names) {
    Map<String, MemorySegment> addresses = new HashMap<>();
    List<String> missing = new ArrayList<>();
    for (String name : names) {
      library.find(name).ifPresentOrElse(a -> addresses.put(name, a), () -> missing.add(name));
    }
    return new Symbols(addresses, missing);
  }

  /** Names that the library does not have. */
  List<String> missing() {
    return missing;
  }

  /** Where a function is. Called by generated bindings. */
  public MemorySegment at(String name) {
    MemorySegment address = addresses.get(name);
    if (address == null) {
      throw new IllegalStateException("the library was opened without a check for " + name);
    }
    return address;
  }
}
