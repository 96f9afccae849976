/**
 * The work behind the commands, on the learning modules: training, evaluation, the quickstart and
 * black-box attacks. Learned tuners and generators have packages of their own, which {@link
 * dev.vauban.cli.work.LearningJobs} leads to.
 */
package dev.vauban.cli.work;
