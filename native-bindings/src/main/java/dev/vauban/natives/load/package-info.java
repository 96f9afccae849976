/** Finding, unpacking, opening and checking the files of native libraries. */
package dev.vauban.natives.load;
