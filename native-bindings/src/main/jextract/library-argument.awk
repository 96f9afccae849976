# Makes every generated function take the library to call as its first argument, instead of finding
# its symbol once for the whole JVM: several libraries of one kind can then be open at a time (the
# machine's own and a test's).
/^ *static final Arena LIBRARY_ARENA/ || /^ *static final SymbolLookup SYMBOL_LOOKUP/ { blank = 1; next }
blank && /^$/ { next }
{ blank = 0 }

/^    private static class [A-Za-z0-9_]* \{/ { name = $4 }
/public static final MemorySegment ADDR = / { blank = 1; next }
{ sub(/downcallHandle\(ADDR, DESC\)/, "downcallHandle(DESC)") }

# A comment waits for the line that says what it is about.
/^    \/\*\*/ { comment = $0; inside = 1; next }
inside { comment = comment "\n" $0; if ($0 ~ /\*\//) { inside = 0; held = 1 }; next }

# Accessors of what is no longer there, and array elements through VarHandles, whose coordinates JDK 21
# counts differently.
/\$(address|handle|descriptor)\(\) \{/ || /\$ELEM_HANDLE/ && !/VarHandle/ { skipping = 1 }
/VarHandle .*\$ELEM_HANDLE/ { elements = 2; next }
elements && held && /public static/ { elements--; skipping = 1 }
skipping { held = 0; if ($0 ~ /^    }$/) { skipping = 0; blank = 1 }; next }

held { print comment; held = 0 }
name != "" && index($0, "public static ") && index($0, " " name "(") {
  sub(name "\\(", name "(dev.vauban.natives.load.Symbols library$, ")
  sub(/, \) \{/, ") {")
}
/mh\$\.invokeExact\(/ {
  sub(/mh\$\.invokeExact\(/, "mh$.invokeExact(library$.at(\"" name "\"), ")
  sub(/\), \)/, "))")
}
{ print }
