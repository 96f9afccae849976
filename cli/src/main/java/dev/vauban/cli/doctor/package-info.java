/** What this machine offers, and what to do about what it lacks. */
package dev.vauban.cli.doctor;
