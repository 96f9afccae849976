# Brings jextract's text, which is for the newest JDK, back to API that JDK 21 has as well.
s/findOrThrow(\([^)]*\))/find(\1).orElseThrow()/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("long long")/ValueLayout.JAVA_LONG/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("long")/ValueLayout.JAVA_LONG/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("int")/ValueLayout.JAVA_INT/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("short")/ValueLayout.JAVA_SHORT/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("char")/ValueLayout.JAVA_BYTE/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("bool")/ValueLayout.JAVA_BOOLEAN/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("float")/ValueLayout.JAVA_FLOAT/
s/(ValueLayout\.Of[A-Z][a-z]*) *Linker\.nativeLinker()\.canonicalLayouts()\.get("double")/ValueLayout.JAVA_DOUBLE/
s/((AddressLayout) Linker\.nativeLinker()\.canonicalLayouts()\.get("void\*"))/ValueLayout.ADDRESS/
/^ *\.or(Linker\.nativeLinker()\.defaultLookup());$/d
# Call tracing goes to the log.
s/System\.out\.printf(.*);/System.getLogger("dev.vauban.natives").log(System.Logger.Level.INFO, name + "(" + traceArgs + ")");/
# Positions in headers would change with every version of them.
s/withName("$anon$[0-9:]*")/withName("$anon")/
s/[ \t]*$//
