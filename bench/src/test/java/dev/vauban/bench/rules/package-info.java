/** Rules over the class files of all modules: API level, one-way dependencies, naming. */
package dev.vauban.bench.rules;
