"""Files: what a department puts into a folder, taken in order and kept as accepted.

A delivery is three files: the data, a control file of one line, and an empty `.ok`, written last. What has no
`.ok` is left alone. Before anything is read the data are copied into the source's state folder and checked
there against the control file, so what is read is what was checked; the drop folder itself is only read, and
cleared by whoever owns it. A file that disagrees, or cannot be read to its last line, is refused whole: nothing
of it enters, it alarms, and a corrected one is taken when it comes.

Deliveries are taken by batch number, each the one after the last. Where that one is missing or refused the rest
waits, and alarms, but for a full file: it says all that the missing one could have said, so the order begins
anew with it, as it does at the first. A file that was accepted before changes nothing when it comes again.

Accepted files are applied to a local table, all of it text, in one transaction a file: a full file replaces the
table, an increment the rows that have one of its record ids. So a look at the table is the source as of the
newest file's `to`, and everything else is as it is with a database. Of the files themselves the newest full one
and all since are kept, for the table is made anew from them when it is lost, or when the mapping reads another
column; they go when the next full file has been accepted. The folder holds personal data, and is its owner's only.
"""
