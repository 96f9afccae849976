/**
 * What trainings of several kinds have in common: the steps of a session in a run directory, and
 * classifiers that are trained once and kept in files.
 */
package dev.vauban.cli.training;
