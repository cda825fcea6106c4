-- Forget a document.
drop_document(ARGV[2], ARGV[3])
